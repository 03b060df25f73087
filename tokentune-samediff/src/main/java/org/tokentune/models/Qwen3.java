package org.tokentune.models;

import org.tokentune.formats.ConfigReader;
import org.tokentune.models.DecoderConfig.QueryKeyNorm;

/**
 * Qwen3 (Yang et al., 2025): a Qwen2 without biases that normalises each head's queries and keys.
 */
record Qwen3() implements DecoderFamily {

  private static final LlamaFields.Defaults DEFAULTS = LlamaFields.Defaults.LLAMA.withHeadSize(128);

  @Override
  public String modelType() {
    return "qwen3";
  }

  @Override
  public String classPrefix() {
    return "Qwen3";
  }

  @Override
  public DecoderNames names() {
    return DecoderNames.LLAMA;
  }

  @Override
  public DecoderConfig read(ConfigReader fields) {
    DecoderConfig config = Qwen2.withWindows(new LlamaFields(fields), this, DEFAULTS);
    boolean bias = fields.flag("attention_bias", false);
    config =
        config.with(config.attention().withBias(bias, bias).withQueryKeyNorm(QueryKeyNorm.HEAD));
    fields.finish(LlamaFields.KNOWN);
    return config;
  }
}

package org.tokentune.models;

import org.tokentune.formats.ConfigReader;
import org.tokentune.models.DecoderConfig.Norms;
import org.tokentune.models.DecoderConfig.QueryKeyNorm;
import org.tokentune.models.DecoderNames.Part;

/**
 * OLMo 2 (OLMo Team, 2024): outputs are normalised instead of inputs, and queries and keys as a
 * whole.
 */
record Olmo2() implements DecoderFamily {

  private static final DecoderNames NAMES =
      DecoderNames.LLAMA
          .with(Part.AFTER_ATTENTION_NORM, "post_attention_layernorm")
          .with(Part.AFTER_MLP_NORM, "post_feedforward_layernorm");

  private static final LlamaFields.Defaults DEFAULTS = LlamaFields.Defaults.LLAMA.withEpsilon(1e-5);

  @Override
  public String modelType() {
    return "olmo2";
  }

  @Override
  public String classPrefix() {
    return "Olmo2";
  }

  @Override
  public DecoderNames names() {
    return NAMES;
  }

  @Override
  public DecoderConfig read(ConfigReader fields) {
    LlamaFields llama = new LlamaFields(fields);
    DecoderConfig config = llama.read(this, DEFAULTS);
    llama.requireOneKind(config.layers(), 0);
    boolean bias = fields.flag("attention_bias", false);
    config =
        config
            .with(config.attention().withBias(bias, bias).withQueryKeyNorm(QueryKeyNorm.PROJECTION))
            .with(new Norms(true, config.norms().epsilon(), false, false, true));
    fields.finish(LlamaFields.KNOWN);
    return config;
  }
}

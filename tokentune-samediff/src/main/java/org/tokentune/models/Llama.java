package org.tokentune.models;

import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;

/** Llama 2 and 3 (Touvron et al., 2023). */
record Llama() implements DecoderFamily {

  private static final KnownFields KNOWN =
      LlamaFields.KNOWN
          .harmless("is_llama_config", "pretraining_tp")
          .mustBe("rope_interleaved", false);

  @Override
  public String modelType() {
    return "llama";
  }

  @Override
  public String classPrefix() {
    return "Llama";
  }

  @Override
  public DecoderNames names() {
    return DecoderNames.LLAMA;
  }

  @Override
  public DecoderConfig read(ConfigReader fields) {
    LlamaFields llama = new LlamaFields(fields);
    DecoderConfig config = llama.read(this, LlamaFields.Defaults.LLAMA);
    llama.requireOneKind(config.layers(), 0);
    boolean bias = fields.flag("attention_bias", false);
    config =
        config
            .with(config.attention().withBias(bias, bias))
            .with(config.mlp().withBias(fields.flag("mlp_bias", false)));
    fields.finish(KNOWN);
    return config;
  }
}

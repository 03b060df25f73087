package org.tokentune.models;

import org.tokentune.formats.ConfigReader;
import org.tokentune.models.DecoderConfig.Multipliers;

/** Granite 3 (IBM, 2024): a Llama with factors of embeddings, scores, residuals and logits. */
record Granite() implements DecoderFamily {

  @Override
  public String modelType() {
    return "granite";
  }

  @Override
  public String classPrefix() {
    return "Granite";
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
            .with(
                config
                    .attention()
                    .withBias(bias, bias)
                    .withScores(fields.positive("attention_multiplier", 1), 0))
            .with(config.mlp().withBias(fields.flag("mlp_bias", false)))
            .with(
                new Multipliers(
                    fields.positive("embedding_multiplier", 1),
                    fields.positive("residual_multiplier", 1),
                    fields.positive("logits_scaling", 1),
                    0));
    fields.finish(LlamaFields.KNOWN);
    return config;
  }
}

package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.DecoderConfig.Attention;
import org.tokentune.models.DecoderConfig.Norms;

/**
 * StableLM (Stability AI, 2023): a Llama with layer norms, rotary positions in a quarter of each
 * head, and biases of queries, keys and values in version 2.
 */
record StableLm() implements DecoderFamily {

  /**
   * Heads that are normalised one by one and parallel residuals, as in StableLM 2 12B, are refused
   * with those of other families; dropout is that of the MLP alone.
   */
  private static final KnownFields KNOWN = LlamaFields.KNOWN.mustBe("hidden_dropout", 0);

  private static final LlamaFields.Defaults DEFAULTS =
      LlamaFields.Defaults.LLAMA.withKeyValueHeads(32).withEpsilon("layer_norm_eps", 1e-5);

  private static final double ROTARY_SHARE = 0.25;

  @Override
  public String modelType() {
    return "stablelm";
  }

  @Override
  public String classPrefix() {
    return "StableLm";
  }

  @Override
  public DecoderNames names() {
    return DecoderNames.LLAMA;
  }

  @Override
  public DecoderConfig read(ConfigReader fields) {
    double share = RopeParameters.share(fields, ROTARY_SHARE);
    LlamaFields llama = new LlamaFields(fields);
    DecoderConfig config = llama.read(this, DEFAULTS);
    llama.requireOneKind(config.layers(), 0);
    Attention attention = config.attention();
    if ((long) attention.heads() * attention.headSize() != config.hidden()) {
      throw fields.bad("head_dim", "hidden_size divided by num_attention_heads");
    }
    config =
        config
            .with(
                attention
                    .withBias(fields.flag("use_qkv_bias", false), false)
                    .withRotaryShare(share))
            .with(new Norms(false, config.norms().epsilon(), false, true, false));
    fields.finish(KNOWN);
    return config;
  }

  @Override
  public void write(DecoderConfig config, ObjectNode json) {
    DecoderFamily.super.write(config, json);
    RopeParameters.writeShare(config.attention().rotaryShare(), json);
  }
}

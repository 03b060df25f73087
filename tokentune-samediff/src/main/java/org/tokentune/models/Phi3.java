package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.DecoderConfig.Dropout;
import org.tokentune.models.DecoderConfig.LayerType;
import org.tokentune.models.DecoderNames.Part;

/**
 * Phi-3 (Microsoft, 2024): a Llama with one weight for queries, keys and values, and one for gates.
 */
record Phi3() implements DecoderFamily {

  private static final DecoderNames NAMES =
      DecoderNames.LLAMA
          .with(Part.QUERY_KEY_VALUE, "self_attn.qkv_proj")
          .with(Part.GATE_UP, "mlp.gate_up_proj");

  /** transformers does not apply dropout to Phi-3's embeddings. */
  private static final KnownFields KNOWN =
      LlamaFields.KNOWN.harmless("embd_pdrop").mustBe("attention_bias", false);

  private static final LlamaFields.Defaults DEFAULTS = LlamaFields.Defaults.LLAMA.withEpsilon(1e-5);

  private static final String RESIDUAL_DROPOUT = "resid_pdrop";

  @Override
  public String modelType() {
    return "phi3";
  }

  @Override
  public String classPrefix() {
    return "Phi3";
  }

  @Override
  public DecoderNames names() {
    return NAMES;
  }

  @Override
  public Dropout dropout(double rate) {
    return new Dropout(0, rate, rate);
  }

  @Override
  public DecoderConfig read(ConfigReader fields) {
    LlamaFields llama = new LlamaFields(fields);
    double share = rotaryShare(fields);
    DecoderConfig config = llama.read(this, DEFAULTS);
    int window = llama.window(0);
    llama.requireOneKind(config.layers(), window);
    LayerType layer = new LayerType(window, config.layerTypes().get(0).rope());
    config =
        config
            .with(
                config
                    .attention()
                    .withPacked()
                    .withRotarySize((int) (config.attention().headSize() * share)))
            .with(config.mlp().withPacked())
            .with(Collections.nCopies(config.layers(), layer))
            .with(new Dropout(0, config.dropout().attention(), fields.rate(RESIDUAL_DROPOUT, 0)));
    fields.finish(KNOWN);
    return config;
  }

  /** Phi-4-mini's; transformers 5 has it in {@code rope_parameters}, too. */
  private static double rotaryShare(ConfigReader fields) {
    ConfigReader within = fields.object("rope_parameters");
    double share = fields.positive(RopeParameters.SHARE, within.positive(RopeParameters.SHARE, 1));
    if (share > 1 || within.positive(RopeParameters.SHARE, share) != share) {
      throw fields.bad(RopeParameters.SHARE, "a number to 1, and the same in rope_parameters");
    }
    return share;
  }

  @Override
  public void write(DecoderConfig config, ObjectNode json) {
    DecoderFamily.super.write(config, json);
    double share = (double) config.attention().rotarySize() / config.attention().headSize();
    if (share != 1) {
      json.put(RopeParameters.SHARE, share);
      json.withObject("/rope_parameters").put(RopeParameters.SHARE, share);
    }
    json.put(RESIDUAL_DROPOUT, config.dropout().residual());
  }
}

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
    double share = RopeParameters.share(fields, 1);
    DecoderConfig config = llama.read(this, DEFAULTS);
    int window = llama.window(0);
    llama.requireOneKind(config.layers(), window);
    LayerType layer = new LayerType(window, config.layerTypes().get(0).rope());
    config =
        config
            .with(config.attention().withPacked().withRotaryShare(share))
            .with(config.mlp().withPacked())
            .with(Collections.nCopies(config.layers(), layer))
            .with(new Dropout(0, config.dropout().attention(), fields.rate(RESIDUAL_DROPOUT, 0)));
    fields.finish(KNOWN);
    return config;
  }

  @Override
  public void write(DecoderConfig config, ObjectNode json) {
    DecoderFamily.super.write(config, json);
    double share = config.attention().rotaryShare();
    if (share != 1) {
      RopeParameters.writeShare(share, json);
    }
    json.put(RESIDUAL_DROPOUT, config.dropout().residual());
  }
}

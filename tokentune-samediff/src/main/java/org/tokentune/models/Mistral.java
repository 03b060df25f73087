package org.tokentune.models;

import java.util.Collections;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.DecoderConfig.LayerType;

/** Mistral (Jiang et al., 2023): a Llama whose layers all see a window, or none. */
record Mistral() implements DecoderFamily {

  private static final LlamaFields.Defaults DEFAULTS =
      LlamaFields.Defaults.LLAMA.withKeyValueHeads(8);

  private static final KnownFields KNOWN = LlamaFields.KNOWN.mustBe("attention_bias", false);

  @Override
  public String modelType() {
    return "mistral";
  }

  @Override
  public String classPrefix() {
    return "Mistral";
  }

  @Override
  public DecoderNames names() {
    return DecoderNames.LLAMA;
  }

  @Override
  public DecoderConfig read(ConfigReader fields) {
    LlamaFields llama = new LlamaFields(fields);
    DecoderConfig config = llama.read(this, DEFAULTS);
    int window = llama.window(4096);
    llama.requireOneKind(config.layers(), window);
    LayerType layer = new LayerType(window, config.layerTypes().get(0).rope());
    config = config.with(Collections.nCopies(config.layers(), layer));
    fields.finish(KNOWN);
    return config;
  }
}

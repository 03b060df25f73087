package org.tokentune.models;

import java.util.Collections;
import java.util.List;
import org.tokentune.formats.ConfigReader;

/** Mistral (Jiang et al., 2023): a Llama whose layers all see a window, or none. */
record Mistral() implements DecoderFamily {

  private static final LlamaFields.Defaults DEFAULTS =
      LlamaFields.Defaults.LLAMA.withKeyValueHeads(8);

  @Override
  public String modelType() {
    return "mistral";
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
    List<String> types =
        llama.layerTypes(
            Collections.nCopies(
                config.layers(),
                window == 0 ? LlamaFields.FULL_ATTENTION : LlamaFields.SLIDING_ATTENTION));
    if (types.stream().distinct().count() > 1
        || types.contains(LlamaFields.FULL_ATTENTION) != (window == 0)) {
      throw fields.bad("layer_types", "of one kind, as sliding_window says it");
    }
    config = config.with(llama.windows(types, window, config.layerTypes().get(0).rope()));
    fields.finish(LlamaFields.KNOWN);
    return config;
  }
}

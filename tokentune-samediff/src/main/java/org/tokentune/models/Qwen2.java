package org.tokentune.models;

import java.util.List;
import java.util.stream.IntStream;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;

/** Qwen2 (Yang et al., 2024): biases of queries, keys and values, and windows in upper layers. */
record Qwen2() implements DecoderFamily {

  /** The projections have biases whatever a file says. */
  private static final KnownFields KNOWN =
      LlamaFields.KNOWN.harmless("attention_bias").mustBe("use_mrope", false);

  private static final LlamaFields.Defaults DEFAULTS = LlamaFields.Defaults.LLAMA;

  @Override
  public String modelType() {
    return "qwen2";
  }

  @Override
  public String classPrefix() {
    return "Qwen2";
  }

  @Override
  public DecoderNames names() {
    return DecoderNames.LLAMA;
  }

  @Override
  public DecoderConfig read(ConfigReader fields) {
    DecoderConfig config = withWindows(new LlamaFields(fields), this, DEFAULTS);
    config = config.with(config.attention().withBias(true, false));
    fields.finish(KNOWN);
    return config;
  }

  /** {@code layer_types}, or windows in the layers from {@code max_window_layers} on. */
  static DecoderConfig withWindows(
      LlamaFields llama, DecoderFamily family, LlamaFields.Defaults defaults) {
    DecoderConfig config = llama.read(family, defaults);
    ConfigReader fields = llama.fields();
    int first = fields.index("max_window_layers", 28);
    int window = llama.window(4096);
    boolean slides = fields.flag("use_sliding_window", false) && window > 0;
    List<String> types =
        llama.layerTypes(
            IntStream.range(0, config.layers())
                .mapToObj(
                    i ->
                        slides && i >= first
                            ? LlamaFields.SLIDING_ATTENTION
                            : LlamaFields.FULL_ATTENTION)
                .toList());
    return config.with(
        llama.windows(types, slides ? window : 0, config.layerTypes().get(0).rope()));
  }
}

package org.tokentune.models;

import java.util.List;
import java.util.stream.IntStream;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.DecoderConfig.LayerType;
import org.tokentune.models.DecoderConfig.QueryKeyNorm;

/**
 * Gemma 3 without its vision part (Gemma Team, 2025): a Gemma 2 that normalises each head's queries
 * and keys, and has other rotary positions in layers with windows.
 */
record Gemma3() implements DecoderFamily {

  private static final KnownFields KNOWN = Gemma2.KNOWN.harmless("_sliding_window_pattern");

  @Override
  public String modelType() {
    return "gemma3_text";
  }

  @Override
  public String classPrefix() {
    return "Gemma3";
  }

  @Override
  public DecoderNames names() {
    return Gemma2.NAMES;
  }

  @Override
  public DecoderConfig read(ConfigReader fields) {
    LlamaFields llama = new LlamaFields(fields);
    int pattern = fields.count("sliding_window_pattern", 6);
    List<String> types =
        llama.layerTypes(
            IntStream.range(0, llama.layers())
                .mapToObj(
                    i ->
                        (i + 1) % pattern == 0
                            ? LlamaFields.FULL_ATTENTION
                            : LlamaFields.SLIDING_ATTENTION)
                .toList());
    RopeParameters full =
        RopeParameters.read(fields, LlamaFields.FULL_ATTENTION, llama.positions(), 1e6);
    RopeParameters sliding =
        RopeParameters.read(
            fields,
            LlamaFields.SLIDING_ATTENTION,
            llama.positions(),
            fields.positive("rope_local_base_freq", 10000));
    List<LayerType> layers =
        llama.windows(types, llama.window(4096), full).stream()
            .map(layer -> layer.window() == 0 ? layer : new LayerType(layer.window(), sliding))
            .toList();
    DecoderConfig config = Gemma2.gemma(fields, llama.read(this, Gemma2.DEFAULTS, layers), 0, 0);
    config = config.with(config.attention().withQueryKeyNorm(QueryKeyNorm.HEAD));
    fields.finish(KNOWN);
    return config;
  }
}

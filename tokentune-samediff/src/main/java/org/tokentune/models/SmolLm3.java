package org.tokentune.models;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.DecoderConfig.LayerType;

/** SmolLM3 (Hugging Face, 2025): a Llama in which some layers have no positions. */
record SmolLm3() implements DecoderFamily {

  private static final String ROTARY_LAYERS = "no_rope_layers";

  private static final KnownFields KNOWN =
      LlamaFields.KNOWN.harmless("max_window_layers", "pretraining_tp");

  private static final LlamaFields.Defaults DEFAULTS =
      LlamaFields.Defaults.LLAMA.withKeyValueHeads(4).withTheta(2e6).withTied();

  @Override
  public String modelType() {
    return "smollm3";
  }

  @Override
  public String classPrefix() {
    return "SmolLM3";
  }

  @Override
  public DecoderNames names() {
    return DecoderNames.LLAMA;
  }

  @Override
  public DecoderConfig read(ConfigReader fields) {
    LlamaFields llama = new LlamaFields(fields);
    DecoderConfig config = llama.read(this, DEFAULTS);
    boolean bias = fields.flag("attention_bias", false);
    config =
        config
            .with(config.attention().withBias(bias, bias))
            .with(config.mlp().withBias(fields.flag("mlp_bias", false)))
            .with(layers(llama, config));
    fields.finish(KNOWN);
    return config;
  }

  private static List<LayerType> layers(LlamaFields llama, DecoderConfig config) {
    ConfigReader fields = llama.fields();
    List<Boolean> rotary = rotaryLayers(fields, config.layers());
    int window = llama.window(0);
    boolean slides = fields.flag("use_sliding_window", false) && window > 0;
    List<String> types =
        llama.layerTypes(
            rotary.stream()
                .map(
                    rotates ->
                        slides && !rotates
                            ? LlamaFields.SLIDING_ATTENTION
                            : LlamaFields.FULL_ATTENTION)
                .toList());
    RopeParameters rope = config.layerTypes().get(0).rope();
    List<LayerType> layers = new ArrayList<>(llama.windows(types, slides ? window : 0, rope));
    for (int i = 0; i < layers.size(); i++) {
      if (!rotary.get(i)) {
        layers.set(i, new LayerType(layers.get(i).window(), null));
      }
    }
    return layers;
  }

  /** The field is named for layers without, but holds 1 for a layer with rotary positions. */
  private static List<Boolean> rotaryLayers(ConfigReader fields, int layers) {
    int interval = fields.count("no_rope_layer_interval", 4);
    List<Integer> said = fields.indices(ROTARY_LAYERS);
    if (said.isEmpty()) {
      return IntStream.range(0, layers).mapToObj(i -> (i + 1) % interval != 0).toList();
    }
    if (said.size() != layers || !List.of(0, 1).containsAll(said)) {
      throw fields.bad(ROTARY_LAYERS, "0 or 1 for each of the " + layers + " layers");
    }
    return said.stream().map(one -> one == 1).toList();
  }
}

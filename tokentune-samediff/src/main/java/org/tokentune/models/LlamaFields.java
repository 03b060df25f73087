package org.tokentune.models;

import java.util.Collections;
import java.util.List;
import org.tokentune.BadFileException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.DecoderConfig.Attention;
import org.tokentune.models.DecoderConfig.Dropout;
import org.tokentune.models.DecoderConfig.LayerType;
import org.tokentune.models.DecoderConfig.Mlp;
import org.tokentune.models.DecoderConfig.Multipliers;
import org.tokentune.models.DecoderConfig.Norms;
import org.tokentune.nn.ActivationFunction;

/**
 * The fields that the configurations of Llama and its relatives share.
 *
 * @param fields of a {@code config.json}
 */
record LlamaFields(ConfigReader fields) {

  static final String FULL_ATTENTION = "full_attention";
  static final String SLIDING_ATTENTION = "sliding_attention";

  private static final String HEAD_SIZE = "head_dim";
  private static final String LAYER_TYPES = "layer_types";
  private static final String WINDOW = "sliding_window";
  private static final int UNKNOWN = 0;

  /** Fields that none of them read here. */
  static final KnownFields KNOWN =
      TransformersFields.COMMON.harmless("is_decoder").mustBe("mlp_bias", false);

  /** What differs between the families where a field is missing; 0: as Llama has it. */
  record Defaults(
      int keyValueHeads,
      int headSize,
      String epsilonField,
      double epsilon,
      double theta,
      boolean tied,
      String activationField,
      String activation) {

    static final Defaults LLAMA =
        new Defaults(UNKNOWN, UNKNOWN, "rms_norm_eps", 1e-6, 10000, false, "hidden_act", "silu");

    Defaults withKeyValueHeads(int number) {
      return new Defaults(
          number, headSize, epsilonField, epsilon, theta, tied, activationField, activation);
    }

    Defaults withHeadSize(int size) {
      return new Defaults(
          keyValueHeads, size, epsilonField, epsilon, theta, tied, activationField, activation);
    }

    Defaults withEpsilon(double number) {
      return withEpsilon(epsilonField, number);
    }

    Defaults withEpsilon(String field, double number) {
      return new Defaults(
          keyValueHeads, headSize, field, number, theta, tied, activationField, activation);
    }

    Defaults withTheta(double base) {
      return new Defaults(
          keyValueHeads, headSize, epsilonField, epsilon, base, tied, activationField, activation);
    }

    Defaults withTied() {
      return new Defaults(
          keyValueHeads, headSize, epsilonField, epsilon, theta, true, activationField, activation);
    }

    Defaults withActivation(String field, String name) {
      return new Defaults(keyValueHeads, headSize, epsilonField, epsilon, theta, tied, field, name);
    }
  }

  /** A decoder like Llama: normalised inputs, SiLU gates, rotary positions in every layer. */
  DecoderConfig read(DecoderFamily family, Defaults defaults) {
    int positions = positions();
    RopeParameters rope = RopeParameters.read(fields, positions, defaults.theta());
    return read(family, defaults, Collections.nCopies(layers(), new LayerType(0, rope)));
  }

  /** The same, with other layers. */
  DecoderConfig read(DecoderFamily family, Defaults defaults, List<LayerType> layerTypes) {
    int hidden = fields.count("hidden_size");
    int heads = fields.count("num_attention_heads");
    return new DecoderConfig(
        family,
        fields.count("vocab_size"),
        hidden,
        positions(layerTypes),
        false,
        fields.flag("tie_word_embeddings", defaults.tied()),
        Attention.of(heads, keyValueHeads(heads, defaults), headSize(hidden, heads, defaults)),
        new Mlp(fields.count("intermediate_size"), activation(defaults), true, false, false),
        new Norms(
            true, fields.positive(defaults.epsilonField(), defaults.epsilon()), false, true, false),
        layerTypes,
        Multipliers.NONE,
        new Dropout(0, fields.rate("attention_dropout", 0), 0),
        fields.notNegative("initializer_range", 0.02));
  }

  /** The positions of the model, and of all its layers. */
  int positions(List<LayerType> layerTypes) {
    int positions = positions();
    for (LayerType type : layerTypes) {
      positions = type.rope() == null ? positions : type.rope().maxPositions(positions);
    }
    return positions;
  }

  int positions() {
    return fields.count("max_position_embeddings");
  }

  int layers() {
    return fields.layers("num_hidden_layers");
  }

  /** Null means as many as heads. */
  private int keyValueHeads(int heads, Defaults defaults) {
    String field = "num_key_value_heads";
    boolean likeHeads = defaults.keyValueHeads() == UNKNOWN || fields.isNull(field);
    return fields.count(field, likeHeads ? heads : defaults.keyValueHeads());
  }

  private int headSize(int hidden, int heads, Defaults defaults) {
    if (defaults.headSize() != UNKNOWN) {
      return fields.count(HEAD_SIZE, defaults.headSize());
    }
    if (!fields.has(HEAD_SIZE) && hidden % heads != 0) {
      throw new BadFileException(
          "%s: hidden_size %d is not a multiple of num_attention_heads %d; correct one.",
          fields.origin(), hidden, heads);
    }
    return fields.count(HEAD_SIZE, Math.max(1, hidden / heads));
  }

  private ActivationFunction activation(Defaults defaults) {
    String field = defaults.activationField();
    ActivationFunction read =
        ActivationFunction.read(
            TransformersFields.activation(fields, field, defaults.activation()));
    if (!read.gates()) {
      throw fields.bad(field, "silu or a kind of gelu");
    }
    return read;
  }

  /** The size of windows; null means none. */
  int window(int otherwise) {
    return fields.isNull(WINDOW) ? 0 : fields.index(WINDOW, otherwise);
  }

  /**
   * The kind of each layer, as {@code layer_types} says it.
   *
   * @param otherwise where the field is missing
   * @throws org.tokentune.BadFileException for another kind
   */
  List<String> layerTypes(List<String> otherwise) {
    List<String> types = fields.texts(LAYER_TYPES);
    if (types.isEmpty()) {
      return otherwise;
    }
    if (types.size() != otherwise.size()
        || !List.of(FULL_ATTENTION, SLIDING_ATTENTION).containsAll(types)) {
      throw fields.bad(
          LAYER_TYPES,
          FULL_ATTENTION
              + " or "
              + SLIDING_ATTENTION
              + " for each of the "
              + otherwise.size()
              + " layers");
    }
    return types;
  }

  /**
   * Checks that {@code layer_types}, if there are any, are those of a model whose layers are all
   * alike.
   *
   * @param window of them; 0: they see all earlier tokens
   */
  void requireOneKind(int layers, int window) {
    String kind = window == 0 ? FULL_ATTENTION : SLIDING_ATTENTION;
    if (layerTypes(Collections.nCopies(layers, kind)).stream()
        .anyMatch(type -> !type.equals(kind))) {
      throw fields.bad(LAYER_TYPES, kind + " for each of the " + layers + " layers");
    }
  }

  /** Layers with windows of this size where they slide; they need a size. */
  List<LayerType> windows(List<String> types, int window, RopeParameters rope) {
    if (window == 0 && types.contains(SLIDING_ATTENTION)) {
      throw fields.bad(WINDOW, "a number from 1, as " + LAYER_TYPES + " has " + SLIDING_ATTENTION);
    }
    return types.stream()
        .map(type -> new LayerType(type.equals(SLIDING_ATTENTION) ? window : 0, rope))
        .toList();
  }
}

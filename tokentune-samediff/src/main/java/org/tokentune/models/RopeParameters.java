package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.tokentune.Arguments;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;

/**
 * Frequencies of rotary positions (Su et al., 2021), and their scaling for texts longer than those
 * of the pretraining.
 *
 * <p>{@code LINEAR}: every frequency is divided by the factor (Chen et al., 2023). {@code LLAMA3}:
 * frequencies that turn fewer than {@code lowFrequencyFactor} times in {@code originalPositions}
 * are divided by it, those that turn more than {@code highFrequencyFactor} times are unchanged,
 * with a linear transition in between (transformers' {@code _compute_llama3_parameters}). {@code
 * YARN}: the same idea, with a transition that is linear in the number of the frequency, and larger
 * queries and keys (Peng et al., 2023; {@code _compute_yarn_parameters}). {@code LONGROPE}: every
 * frequency has a divisor of its own for texts of up to {@code originalPositions}, and another one
 * for longer texts (Ding et al., 2024; {@code _compute_longrope_parameters}). {@code DYNAMIC}: the
 * base grows with texts longer than the model's positions ({@code
 * _compute_dynamic_ntk_parameters}).
 *
 * <p>What depends on the length of a text is decided by limits: a model with {@code LONGROPE} takes
 * texts of up to {@code originalPositions}, and all models up to their own positions. Within these,
 * transformers computes with the short divisors and with the base as it is, so the numbers are
 * equal.
 *
 * @param theta base of the frequencies
 * @param attentionFactor factor of rotated queries and keys
 * @param shortFactors divisor of each frequency for {@code LONGROPE}; otherwise empty
 * @param longFactors those for longer texts
 */
public record RopeParameters(
    double theta,
    Type type,
    double factor,
    double lowFrequencyFactor,
    double highFrequencyFactor,
    int originalPositions,
    double attentionFactor,
    List<Double> shortFactors,
    List<Double> longFactors)
    implements Serializable {

  /** The formula. */
  public enum Type {
    DEFAULT,
    LINEAR,
    DYNAMIC,
    YARN,
    LONGROPE,
    LLAMA3
  }

  private static final String THETA = "rope_theta";
  private static final String SCALING = "rope_scaling";
  private static final String PARAMETERS = "rope_parameters";
  private static final String TYPE = "rope_type";
  private static final String OLD_TYPE = "type";
  private static final String FACTOR = "factor";
  private static final String LOW = "low_freq_factor";
  private static final String HIGH = "high_freq_factor";
  private static final String ORIGINAL = "original_max_position_embeddings";

  private static final String ATTENTION = "attention_factor";
  private static final String SLOW = "beta_slow";
  private static final String FAST = "beta_fast";
  private static final String SHORT = "short_factor";
  private static final String LONG = "long_factor";

  private static final String SHARE = "partial_rotary_factor";

  private static final KnownFields WITHIN =
      KnownFields.NONE.mustBe(SHARE, 1).mustBe("mrope_section").mustBe("truncate", true);

  /** Rotary positions without scaling. */
  public static RopeParameters of(double theta) {
    return new RopeParameters(theta, Type.DEFAULT, 1, 1, 1, 1);
  }

  RopeParameters(
      double theta,
      Type type,
      double factor,
      double lowFrequencyFactor,
      double highFrequencyFactor,
      int originalPositions) {
    this(
        theta,
        type,
        factor,
        lowFrequencyFactor,
        highFrequencyFactor,
        originalPositions,
        1,
        List.of(),
        List.of());
  }

  /**
   * Reads {@code rope_parameters} as written by transformers 5, flat or by layer type, or {@code
   * rope_theta} and {@code rope_scaling} as written by earlier versions.
   *
   * @param maxPositions of the model
   * @param defaultTheta where no field has a base
   * @throws BadInputException for an unsupported type, or if both are present and differ
   */
  static RopeParameters read(ConfigReader config, int maxPositions, double defaultTheta) {
    config.value(ORIGINAL); // used if the type needs it
    List<RopeParameters> said = new ArrayList<>();
    double theta = config.positive(THETA, defaultTheta);
    if (!config.object(PARAMETERS).names().isEmpty()) {
      for (ConfigReader layer : byLayerType(config)) {
        said.add(read(config, layer, theta, maxPositions));
      }
    }
    ConfigReader scaling = config.object(SCALING);
    if (!scaling.names().isEmpty() || said.isEmpty()) {
      said.add(read(config, scaling, theta, maxPositions));
    } else if (config.has(THETA) && theta != said.get(0).theta()) {
      said.add(of(theta));
    }
    if (said.stream().distinct().count() > 1) {
      throw new BadFileException(
          "%s: %s, %s and %s contradict each other on rotary positions: %s; keep the right ones.",
          config.origin(),
          config.name(THETA),
          config.name(SCALING),
          config.name(PARAMETERS),
          said.stream().distinct().map(RopeParameters::written).toList());
    }
    return said.get(0);
  }

  /**
   * Reads the positions of layers of one type: its object in {@code rope_parameters}; or, of
   * earlier versions, {@code rope_theta} and {@code rope_scaling}, which are those of layers with
   * full attention.
   *
   * @param defaultTheta where no field has a base
   */
  static RopeParameters read(
      ConfigReader config, String layerType, int maxPositions, double defaultTheta) {
    config.value(ORIGINAL);
    if (!config.object(PARAMETERS).names().isEmpty()) {
      warnOfFlat(config);
      ConfigReader own = config.object(PARAMETERS).object(layerType);
      return read(config, own, defaultTheta, maxPositions);
    }
    return layerType.equals(LlamaFields.FULL_ATTENTION)
        ? read(config, maxPositions, defaultTheta)
        : of(defaultTheta);
  }

  /** Transformers keeps what stands beside the layer types, and does not use it. */
  private static void warnOfFlat(ConfigReader config) {
    List<String> flat = new ArrayList<>();
    config
        .value(PARAMETERS)
        .fields()
        .forEachRemaining(
            field -> {
              if (!field.getValue().isObject()) {
                flat.add(field.getKey());
              }
            });
    if (!flat.isEmpty()) {
      Warnings.warn(
          "%s: %s has %s outside its layer types, where they are not used, as in transformers; put them"
              + " into %s or %s.",
          config.origin(),
          config.name(PARAMETERS),
          flat,
          LlamaFields.FULL_ATTENTION,
          LlamaFields.SLIDING_ATTENTION);
    }
  }

  /**
   * Reads how much of each head is rotated, which is a field of the model, of {@code
   * rope_parameters}, or of both. Families that have it read it before the parameters; others
   * refuse it.
   */
  static double share(ConfigReader config, double otherwise) {
    ConfigReader within = config.object(PARAMETERS);
    double share = config.positive(SHARE, within.positive(SHARE, otherwise));
    if (share > 1 || within.positive(SHARE, share) != share) {
      throw config.bad(SHARE, "a number to 1, and the same in " + PARAMETERS);
    }
    return share;
  }

  /** Writes how much of each head is rotated, after the parameters. */
  static void writeShare(double share, ObjectNode config) {
    config.put(SHARE, share);
    config.withObject("/" + PARAMETERS).put(SHARE, share);
  }

  /** The parameters of each layer type, if they are separate; otherwise the object itself. */
  private static List<ConfigReader> byLayerType(ConfigReader config) {
    ConfigReader parameters = config.object(PARAMETERS);
    List<ConfigReader> layers = new ArrayList<>();
    config
        .value(PARAMETERS)
        .fields()
        .forEachRemaining(
            field -> {
              if (field.getValue().isObject()) {
                layers.add(parameters.object(field.getKey()));
              }
            });
    return layers.isEmpty() ? List.of(parameters) : layers;
  }

  private static RopeParameters read(
      ConfigReader config, ConfigReader fields, double otherwise, int maxPositions) {
    if (config.asked().contains(SHARE)) {
      fields.value(SHARE);
    }
    String name = fields.either(TYPE, OLD_TYPE);
    double theta = fields.positive(THETA, otherwise);
    double factor = fields.positive(FACTOR, 1);
    String type = fields.text(name, "default");
    // Early files of Phi-3 have other names for it, as transformers knows.
    if (type.equals("su") || (type.equals("yarn") && fields.has(SHORT))) {
      type = "longrope";
    }
    RopeParameters read =
        switch (type) {
          case "default" -> {
            if (factor != 1) {
              throw fields.bad(name, "linear or llama3 where there is a factor");
            }
            yield of(theta);
          }
          case "linear" ->
              required(fields, FACTOR) == 1
                  ? of(theta)
                  : new RopeParameters(theta, Type.LINEAR, factor, 1, 1, 1);
          case "dynamic" ->
              new RopeParameters(theta, Type.DYNAMIC, required(fields, FACTOR), 1, 1, 1);
          case "yarn" -> yarn(config, fields, theta, maxPositions);
          case "longrope" -> longRope(config, fields, theta, maxPositions);
          case "llama3" ->
              new RopeParameters(
                  theta,
                  Type.LLAMA3,
                  required(fields, FACTOR),
                  required(fields, LOW),
                  required(fields, HIGH),
                  originalPositions(config, fields, maxPositions));
          default ->
              throw new BadFileException(
                  "%s: %s %s is not supported; default, linear, dynamic, yarn, longrope and llama3"
                      + " are.",
                  fields.origin(), fields.name(name), type);
        };
    fields.finish(WITHIN);
    return read;
  }

  private static RopeParameters yarn(
      ConfigReader config, ConfigReader fields, double theta, int maxPositions) {
    double factor = required(fields, FACTOR);
    double scale = fields.number("mscale", 0);
    double scaleOfAll = fields.number("mscale_all_dim", 0);
    double suggested =
        scale != 0 && scaleOfAll != 0
            ? yarnFactor(factor, scale) / yarnFactor(factor, scaleOfAll)
            : yarnFactor(factor, 1);
    return new RopeParameters(
        theta,
        Type.YARN,
        factor,
        fields.positive(SLOW, 1),
        fields.positive(FAST, 32),
        originalPositions(config, fields, maxPositions),
        fields.positive(ATTENTION, suggested),
        List.of(),
        List.of());
  }

  private static double yarnFactor(double factor, double scale) {
    return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
  }

  private static RopeParameters longRope(
      ConfigReader config, ConfigReader fields, double theta, int maxPositions) {
    int original = originalPositions(config, fields, maxPositions);
    double factor = fields.positive(FACTOR, (double) maxPositions / original);
    for (String each : List.of(SHORT, LONG)) {
      if (!fields.has(each)) {
        throw fields.bad(each, "a list of numbers above 0");
      }
    }
    return new RopeParameters(
        theta,
        Type.LONGROPE,
        1,
        1,
        1,
        original,
        fields.positive(ATTENTION, longRopeFactor(factor, original)),
        fields.positives(SHORT),
        fields.positives(LONG));
  }

  private static double longRopeFactor(double factor, int original) {
    return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  }

  private static double required(ConfigReader fields, String field) {
    if (!fields.has(field)) {
      throw fields.bad(field, "a number above 0");
    }
    return fields.positive(field, 1);
  }

  /** The model's own field takes precedence over that of the scaling, as in transformers 5. */
  private static int originalPositions(ConfigReader config, ConfigReader fields, int maxPositions) {
    int positions = fields.count(ORIGINAL, config.count(ORIGINAL, maxPositions));
    if (config.count(ORIGINAL, positions) != positions) {
      throw config.bad(ORIGINAL, "the " + positions + " of " + fields.name(ORIGINAL));
    }
    return positions;
  }

  public RopeParameters {
    Arguments.required(type, "type");
    shortFactors = List.copyOf(Arguments.required(shortFactors, "shortFactors"));
    longFactors = List.copyOf(Arguments.required(longFactors, "longFactors"));

    boolean ramp = type == Type.LLAMA3 || type == Type.YARN;
    if (!(factor >= 1) || (ramp && !(highFrequencyFactor > lowFrequencyFactor))) {
      throw new BadFileException(
          "Rotary positions need a factor from 1, and a high_freq_factor (beta_fast) above"
              + " low_freq_factor (beta_slow), but have %s, %s and %s; correct config.json.",
          factor, highFrequencyFactor, lowFrequencyFactor);
    }
  }

  /**
   * Writes the parameters for all versions of transformers: version 5 reads {@code
   * rope_parameters}, and earlier ones read the other two fields and reject an unknown scaling.
   */
  void write(ObjectNode config) {
    config.put(THETA, theta).putNull(SCALING);
    boolean suggested =
        config.path("max_position_embeddings").isInt()
            && attentionFactor
                == longRopeFactor(
                    config.path("max_position_embeddings").doubleValue() / originalPositions,
                    originalPositions);
    ObjectNode scaling = config.objectNode();
    ObjectNode parameters = config.putObject(PARAMETERS).put(THETA, theta);
    switch (type) {
      case DEFAULT -> parameters.put(TYPE, "default");
      case LINEAR -> {
        scaling.put(OLD_TYPE, "linear").put(FACTOR, factor);
        parameters.put(TYPE, "linear").put(FACTOR, factor);
      }
      case DYNAMIC -> {
        scaling.put(OLD_TYPE, "dynamic").put(FACTOR, factor);
        parameters.put(TYPE, "dynamic").put(FACTOR, factor);
      }
      case YARN -> {
        scaling
            .put(TYPE, "yarn")
            .put(FACTOR, factor)
            .put(SLOW, lowFrequencyFactor)
            .put(FAST, highFrequencyFactor)
            .put(ATTENTION, attentionFactor)
            .put(ORIGINAL, originalPositions);
        parameters.setAll(scaling);
      }
      case LONGROPE -> {
        // transformers 4 takes these three fields of Phi-3 and no others
        scaling.put(OLD_TYPE, "longrope");
        shortFactors.forEach(scaling.putArray(SHORT)::add);
        longFactors.forEach(scaling.putArray(LONG)::add);
        if (!suggested) {
          scaling.put(ATTENTION, attentionFactor);
        }
        config.put(ORIGINAL, originalPositions);
        parameters.setAll(scaling);
        parameters.remove(OLD_TYPE);
        parameters
            .put(TYPE, "longrope")
            .put(ATTENTION, attentionFactor)
            .put(ORIGINAL, originalPositions);
      }
      case LLAMA3 -> {
        scaling
            .put(TYPE, "llama3")
            .put(FACTOR, factor)
            .put(LOW, lowFrequencyFactor)
            .put(HIGH, highFrequencyFactor)
            .put(ORIGINAL, originalPositions);
        parameters.setAll(scaling);
      }
    }
    if (type != Type.DEFAULT) {
      config.set(SCALING, scaling);
    }
  }

  /** Makes {@code rope_parameters}. */
  private JsonNode written() {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    write(config);
    return config.get(PARAMETERS);
  }

  /** The longest text whose positions do not depend on its length. */
  int maxPositions(int ofModel) {
    return type == Type.LONGROPE ? Math.min(ofModel, originalPositions) : ofModel;
  }

  /**
   * The radians per position for each pair of a head: {@code theta^(-2 i / headSize)}, scaled; of a
   * head that is rotated in part, that part is the head. Computed in float, as in the training of
   * the models.
   */
  public float[] frequencies(int headSize) {
    if (type == Type.LONGROPE && shortFactors.size() != headSize / 2) {
      throw new BadFileException(
          "The %d numbers of rope_parameters.short_factor must be half of the %d of a head that are"
              + " rotated; correct config.json.",
          shortFactors.size(), headSize);
    }
    float[] frequencies = new float[headSize / 2];
    for (int i = 0; i < frequencies.length; i++) {
      float power = (float) Math.pow(theta, 2f * i / headSize);
      frequencies[i] = scaled(i, headSize, power);
    }
    return frequencies;
  }

  private float scaled(int i, int headSize, float power) {
    float frequency = 1 / power;
    return switch (type) {
      case DEFAULT, DYNAMIC -> frequency;
      case LINEAR -> (float) (frequency / factor);
      case LLAMA3 -> {
        double turns = originalPositions * frequency / (2 * Math.PI);
        double kept = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
        double share = Math.max(0, Math.min(1, kept));
        yield (float) ((1 - share) * frequency / factor + share * frequency);
      }
      case YARN -> {
        double first = Math.max(0, Math.floor(pair(highFrequencyFactor, headSize)));
        double last = Math.min(headSize - 1, Math.ceil(pair(lowFrequencyFactor, headSize)));
        double width = last == first ? 0.001 : last - first;
        float share = (float) Math.max(0, Math.min(1, (i - first) / width));
        yield 1 / ((float) factor * power) * share + frequency * (1 - share);
      }
      case LONGROPE -> 1 / (shortFactors.get(i).floatValue() * power);
    };
  }

  /** The pair of a head that turns so many times in the original positions. */
  private double pair(double turns, int headSize) {
    return headSize * Math.log(originalPositions / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
  }
}

package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.tokentune.Arguments;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;

/**
 * Frequencies of rotary positions (Su et al., 2021), and their scaling for texts longer than those
 * of the pretraining.
 *
 * <p>{@code LINEAR}: every frequency is divided by the factor (Chen et al., 2023). {@code LLAMA3}:
 * frequencies that turn fewer than {@code lowFrequencyFactor} times in {@code originalPositions}
 * are divided by it, those that turn more than {@code highFrequencyFactor} times are unchanged,
 * with a linear transition in between (transformers' {@code _compute_llama3_parameters}).
 *
 * @param theta base of the frequencies
 */
public record RopeParameters(
    double theta,
    Type type,
    double factor,
    double lowFrequencyFactor,
    double highFrequencyFactor,
    int originalPositions) {

  /** The formula. */
  public enum Type {
    DEFAULT,
    LINEAR,
    LLAMA3
  }

  private static final double DEFAULT_THETA = 10000;

  private static final String THETA = "rope_theta";
  private static final String SCALING = "rope_scaling";
  private static final String PARAMETERS = "rope_parameters";
  private static final String TYPE = "rope_type";
  private static final String OLD_TYPE = "type";
  private static final String FACTOR = "factor";
  private static final String LOW = "low_freq_factor";
  private static final String HIGH = "high_freq_factor";
  private static final String ORIGINAL = "original_max_position_embeddings";

  private static final KnownFields WITHIN =
      KnownFields.NONE.mustBe("partial_rotary_factor", 1).mustBe("mrope_section");

  /** Rotary positions without scaling. */
  public static RopeParameters of(double theta) {
    return new RopeParameters(theta, Type.DEFAULT, 1, 1, 1, 1);
  }

  /**
   * Reads {@code rope_parameters} as written by transformers 5, flat or by layer type, or {@code
   * rope_theta} and {@code rope_scaling} as written by earlier versions.
   *
   * @param maxPositions of the model
   * @throws BadInputException for an unsupported type, or if both are present and differ
   */
  static RopeParameters read(ConfigReader config, int maxPositions) {
    config.value(ORIGINAL); // used if the type needs it
    List<RopeParameters> said = new ArrayList<>();
    double theta = config.positive(THETA, DEFAULT_THETA);
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
    String name = fields.either(TYPE, OLD_TYPE);
    double theta = fields.positive(THETA, otherwise);
    double factor = fields.positive(FACTOR, 1);
    String type = fields.text(name, "default");
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
                  "%s: %s %s is not supported; default, linear and llama3 are.",
                  fields.origin(), fields.name(name), type);
        };
    fields.finish(WITHIN);
    return read;
  }

  private static double required(ConfigReader fields, String field) {
    if (!fields.has(field)) {
      throw fields.bad(field, "a number above 0");
    }
    return fields.positive(field, 1);
  }

  /** The model's own field takes precedence over that of the scaling, as in transformers 5. */
  private static int originalPositions(ConfigReader config, ConfigReader fields, int maxPositions) {
    int positions = fields.count(ORIGINAL, maxPositions);
    if (config.count(ORIGINAL, positions) != positions) {
      throw config.bad(ORIGINAL, "the " + positions + " of " + fields.name(ORIGINAL));
    }
    return positions;
  }

  public RopeParameters {
    Arguments.required(type, "type");

    if (!(factor >= 1) || (type == Type.LLAMA3 && !(highFrequencyFactor > lowFrequencyFactor))) {
      throw new BadFileException(
          "Rotary positions need a factor from 1 and a high_freq_factor above low_freq_factor, but"
              + " have %s, %s and %s; correct config.json.",
          factor, highFrequencyFactor, lowFrequencyFactor);
    }
  }

  /**
   * Writes the parameters for all versions of transformers: version 5 reads {@code
   * rope_parameters}, and earlier ones read the other two fields and reject an unknown scaling.
   */
  void write(ObjectNode config) {
    config.put(THETA, theta);
    if (type == Type.DEFAULT) {
      config.putNull(SCALING);
    } else {
      scaling(config.putObject(SCALING), type == Type.LINEAR ? OLD_TYPE : TYPE);
    }
    ObjectNode parameters = config.putObject(PARAMETERS).put(THETA, theta);
    if (type == Type.DEFAULT) {
      parameters.put(TYPE, "default");
    } else {
      scaling(parameters, TYPE);
    }
  }

  private void scaling(ObjectNode fields, String name) {
    fields.put(name, type == Type.LINEAR ? "linear" : "llama3").put(FACTOR, factor);
    if (type == Type.LLAMA3) {
      fields
          .put(LOW, lowFrequencyFactor)
          .put(HIGH, highFrequencyFactor)
          .put(ORIGINAL, originalPositions);
    }
  }

  /** Makes {@code rope_parameters}. */
  private JsonNode written() {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    write(config);
    return config.get(PARAMETERS);
  }

  /**
   * The radians per position for each pair of a head: {@code theta^(-2 i / headSize)}, scaled.
   * Computed in float, as in the training of the models.
   */
  public float[] frequencies(int headSize) {
    float[] frequencies = new float[headSize / 2];
    for (int i = 0; i < frequencies.length; i++) {
      float power = (float) Math.pow(theta, 2f * i / headSize);
      frequencies[i] = scaled(1 / power);
    }
    return frequencies;
  }

  private float scaled(float frequency) {
    double turns = originalPositions * frequency / (2 * Math.PI);
    return switch (type) {
      case DEFAULT -> frequency;
      case LINEAR -> (float) (frequency / factor);
      case LLAMA3 -> {
        double kept = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
        double share = Math.max(0, Math.min(1, kept));
        yield (float) ((1 - share) * frequency / factor + share * frequency);
      }
    };
  }
}

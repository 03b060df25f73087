package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import org.tokentune.BadInputException;

/**
 * How rotary positions are stretched over texts longer than those of the first training.
 *
 * <p>{@code LINEAR}: every frequency is divided by the factor (Chen et al., 2023). {@code LLAMA3}:
 * frequencies that turn fewer than {@code lowFrequencyFactor} times in {@code originalPositions}
 * are divided by it, those that turn more than {@code highFrequencyFactor} times stay, and between
 * the two there is a linear transition (transformers' {@code _compute_llama3_parameters}).
 */
public record RopeScaling(
    Type type,
    double factor,
    double lowFrequencyFactor,
    double highFrequencyFactor,
    int originalPositions) {

  /** Which formula. */
  public enum Type {
    NONE,
    LINEAR,
    LLAMA3
  }

  private static final RopeScaling NONE = new RopeScaling(Type.NONE, 1, 1, 1, 1);

  public RopeScaling {
    if (!(factor >= 1) || (type == Type.LLAMA3 && !(highFrequencyFactor > lowFrequencyFactor))) {
      throw new BadInputException(
          "rope_scaling needs a factor from 1 and high_freq_factor above low_freq_factor, but has %s, %s and %s.",
          factor, highFrequencyFactor, lowFrequencyFactor);
    }
  }

  /** Reads {@code rope_scaling} of a {@code config.json}; missing or null is none. */
  static RopeScaling read(JsonNode config, String origin) {
    JsonNode scaling = config.path("rope_scaling");
    ConfigFields fields = new ConfigFields(scaling, origin);
    String type = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
    return switch (type) {
      case "default" -> NONE;
      case "linear" -> new RopeScaling(Type.LINEAR, fields.number("factor", 0), 1, 1, 1);
      case "llama3" ->
          new RopeScaling(
              Type.LLAMA3,
              fields.number("factor", 0),
              fields.number("low_freq_factor", 1),
              fields.number("high_freq_factor", 4),
              fields.positive("original_max_position_embeddings"));
      default ->
          throw new BadInputException(
              "%s: rope_scaling %s is not supported; linear and llama3 are.", origin, type);
    };
  }

  /**
   * Radians a position of each pair of a head: {@code theta^(-2 i / headSize)}, scaled. In float,
   * as the models were trained.
   */
  public float[] frequencies(int headSize, double theta) {
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
      case NONE -> frequency;
      case LINEAR -> (float) (frequency / factor);
      case LLAMA3 -> {
        double kept = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
        double share = Math.max(0, Math.min(1, kept));
        yield (float) ((1 - share) * frequency / factor + share * frequency);
      }
    };
  }
}

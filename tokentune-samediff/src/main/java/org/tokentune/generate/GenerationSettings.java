package org.tokentune.generate;

import static org.tokentune.Arguments.required;

import java.util.Set;
import org.tokentune.BadSettingsException;

/**
 * How tokens are sampled, and when to stop.
 *
 * @param temperature logits are divided by it; 0: always the most probable token
 * @param topK sample only from this many most probable tokens; 0: from all
 * @param topP of these, sample from the smallest set whose probabilities sum to at least this
 *     (Holtzman et al., 2020); 1: from all
 * @param seed the same seed gives the same text
 * @param maxTokens most new tokens
 * @param ends tokens that end a text
 */
public record GenerationSettings(
    double temperature, int topK, double topP, long seed, int maxTokens, Set<Integer> ends) {

  public GenerationSettings {
    required(ends, "ends");

    if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
      throw BadSettingsException.of(
          "temperature", "must be at least 0 and finite, got %s.", temperature);
    }
    if (topK < 0) {
      throw BadSettingsException.of(
          "topK", "must be at least 1, or 0 for all tokens, got %d.", topK);
    }
    if (!(topP > 0 && topP <= 1)) {
      throw BadSettingsException.of("topP", "must be above 0 and at most 1, got %s.", topP);
    }
    if (maxTokens < 1) {
      throw BadSettingsException.of("maxTokens", "must be at least 1, got %d.", maxTokens);
    }
    ends = Set.copyOf(ends);
  }

  /** Always takes the most probable token. */
  public static GenerationSettings greedy(int maxTokens, Set<Integer> ends) {
    return new GenerationSettings(0, 0, 1, 0, maxTokens, ends);
  }

  /** Temperature 0.8, top-p 0.95, at most 256 new tokens, and no token that ends the text. */
  public static GenerationSettings defaults() {
    return new GenerationSettings(0.8, 0, 0.95, 1, 256, Set.of());
  }

  /** The same with another temperature; 0: always the most probable token. */
  public GenerationSettings withTemperature(double other) {
    return new GenerationSettings(other, topK, topP, seed, maxTokens, ends);
  }

  /** The same, sampled from this many tokens only; 0: from all. */
  public GenerationSettings withTopK(int count) {
    return new GenerationSettings(temperature, count, topP, seed, maxTokens, ends);
  }

  /** The same, sampled from the most probable tokens with this sum; 1: from all. */
  public GenerationSettings withTopP(double sum) {
    return new GenerationSettings(temperature, topK, sum, seed, maxTokens, ends);
  }

  /** The same with another seed. */
  public GenerationSettings withSeed(long other) {
    return new GenerationSettings(temperature, topK, topP, other, maxTokens, ends);
  }

  /** The same with more or fewer new tokens. */
  public GenerationSettings withMaxTokens(int most) {
    return new GenerationSettings(temperature, topK, topP, seed, most, ends);
  }

  /** The same with other tokens that end a text. */
  public GenerationSettings withEnds(Set<Integer> tokens) {
    return new GenerationSettings(temperature, topK, topP, seed, maxTokens, tokens);
  }
}

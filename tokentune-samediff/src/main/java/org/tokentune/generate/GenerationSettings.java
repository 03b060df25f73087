package org.tokentune.generate;

import static org.tokentune.Arguments.required;

import java.util.List;
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
 * @param minP of these, sample only from tokens at least this many times as probable as the most
 *     probable one (Nguyen et al., 2024); 0: from all
 * @param repetitionPenalty the logits of tokens that the prompt or the new text has are divided by
 *     it if above 0, and multiplied if below (Keskar et al., 2019); 1: none
 * @param stops texts that end a text, which ends before them; they may be part of a token or span
 *     several. Only a generator with a tokenizer takes them
 * @param search beam search in place of sampling; with it, temperature, {@code topK}, {@code topP},
 *     {@code minP} and the seed do not matter
 */
public record GenerationSettings(
    double temperature,
    int topK,
    double topP,
    long seed,
    int maxTokens,
    Set<Integer> ends,
    double minP,
    double repetitionPenalty,
    List<String> stops,
    BeamSearch search) {

  /** Without minimal probability, penalty, texts that end it and beam search. */
  public GenerationSettings(
      double temperature, int topK, double topP, long seed, int maxTokens, Set<Integer> ends) {
    this(temperature, topK, topP, seed, maxTokens, ends, 0, 1, List.of(), BeamSearch.NONE);
  }

  public GenerationSettings {
    required(ends, "ends");
    required(stops, "stops");
    required(search, "search");

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
    if (!(minP >= 0 && minP <= 1)) {
      throw BadSettingsException.of("minP", "must be from 0 to 1, got %s.", minP);
    }
    if (!(repetitionPenalty > 0 && repetitionPenalty < Double.POSITIVE_INFINITY)) {
      throw BadSettingsException.of(
          "repetitionPenalty", "must be above 0, got %s.", repetitionPenalty);
    }
    ends = Set.copyOf(ends);
    stops = List.copyOf(stops);
    if (stops.contains("")) {
      throw BadSettingsException.of("stops", "has an empty text, which would end every text.");
    }
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
    return new GenerationSettings(
        other, topK, topP, seed, maxTokens, ends, minP, repetitionPenalty, stops, search);
  }

  /** The same, sampled from this many tokens only; 0: from all. */
  public GenerationSettings withTopK(int count) {
    return new GenerationSettings(
        temperature, count, topP, seed, maxTokens, ends, minP, repetitionPenalty, stops, search);
  }

  /** The same, sampled from the most probable tokens with this sum; 1: from all. */
  public GenerationSettings withTopP(double sum) {
    return new GenerationSettings(
        temperature, topK, sum, seed, maxTokens, ends, minP, repetitionPenalty, stops, search);
  }

  /** The same with another seed. */
  public GenerationSettings withSeed(long other) {
    return new GenerationSettings(
        temperature, topK, topP, other, maxTokens, ends, minP, repetitionPenalty, stops, search);
  }

  /** The same with more or fewer new tokens. */
  public GenerationSettings withMaxTokens(int most) {
    return new GenerationSettings(
        temperature, topK, topP, seed, most, ends, minP, repetitionPenalty, stops, search);
  }

  /** The same with other tokens that end a text. */
  public GenerationSettings withEnds(Set<Integer> tokens) {
    return new GenerationSettings(
        temperature, topK, topP, seed, maxTokens, tokens, minP, repetitionPenalty, stops, search);
  }

  /** The same, sampled from tokens of this share of the largest probability only; 0: from all. */
  public GenerationSettings withMinP(double share) {
    return new GenerationSettings(
        temperature, topK, topP, seed, maxTokens, ends, share, repetitionPenalty, stops, search);
  }

  /** The same with another penalty of tokens that occurred; 1: none. */
  public GenerationSettings withRepetitionPenalty(double penalty) {
    return new GenerationSettings(
        temperature, topK, topP, seed, maxTokens, ends, minP, penalty, stops, search);
  }

  /** The same with other texts that end a text. */
  public GenerationSettings withStops(List<String> texts) {
    return new GenerationSettings(
        temperature, topK, topP, seed, maxTokens, ends, minP, repetitionPenalty, texts, search);
  }

  /** The same with beam search in place of sampling. */
  public GenerationSettings withSearch(BeamSearch other) {
    return new GenerationSettings(
        temperature, topK, topP, seed, maxTokens, ends, minP, repetitionPenalty, stops, other);
  }
}

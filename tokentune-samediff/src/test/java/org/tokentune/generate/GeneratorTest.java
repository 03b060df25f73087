package org.tokentune.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.tokentune.BadInputException;
import org.tokentune.SmallBert;
import org.tokentune.models.Head;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;

class GeneratorTest {

  private final TransformerModel model = SmallDecoder.model("llama", "");
  private final Parameters weights = SmallDecoder.weights(model, 3);

  private static GenerationSettings sampling(long seed) {
    return new GenerationSettings(1, 0, 1, seed, 40, Set.of());
  }

  private Generation generate(int[] prompt, GenerationSettings settings) {
    try (Generator generator = new Generator(model, weights)) {
      return generator.generate(prompt, settings, id -> {});
    }
  }

  @Test
  void sameSeedGivesTheSameText() {
    int[] prompt = {3, 1, 4};
    int[] first = generate(prompt, sampling(5)).ids();
    assertArrayEquals(first, generate(prompt, sampling(5)).ids());
    assertFalse(Arrays.equals(first, generate(prompt, sampling(6)).ids()));
  }

  @Test
  void oneCandidateIsGreedy() {
    int[] prompt = {3, 1, 4};
    int[] greedy = generate(prompt, GenerationSettings.greedy(40, Set.of())).ids();
    for (GenerationSettings one :
        List.of(
            new GenerationSettings(1, 1, 1, 5, 40, Set.of()),
            new GenerationSettings(1, 0, 1e-9, 5, 40, Set.of()),
            new GenerationSettings(1e-9, 0, 1, 5, 40, Set.of()))) {
      assertArrayEquals(greedy, generate(prompt, one).ids(), one.toString());
    }
  }

  @Test
  void stopsForEveryReason() {
    int[] prompt = {3, 1, 4};
    List<Integer> heard = new ArrayList<>();
    Generation all;
    try (Generator generator = new Generator(model, weights)) {
      all = generator.generate(prompt, sampling(5), heard::add);
    }
    assertEquals(Generation.End.MAX_TOKENS, all.end());
    assertEquals(heard, Arrays.stream(all.ids()).boxed().toList());
    int end = all.ids()[9];
    int before = heard.indexOf(end);
    Generation ended = generate(prompt, new GenerationSettings(1, 0, 1, 5, 40, Set.of(end)));
    assertEquals(Generation.End.END_TOKEN, ended.end());
    assertArrayEquals(Arrays.copyOf(all.ids(), before), ended.ids());
    Generation full = generate(prompt, GenerationSettings.greedy(Integer.MAX_VALUE, Set.of()));
    assertEquals(Generation.End.CONTEXT, full.end());
    assertEquals(SmallDecoder.POSITIONS, prompt.length + full.ids().length);
  }

  @Test
  void rejectsInvalidPrompts() {
    GenerationSettings greedy = GenerationSettings.greedy(1, Set.of());
    for (int[] prompt : new int[][] {{}, {30}, {-1}, new int[SmallDecoder.POSITIONS]}) {
      System.out.println(
          assertThrows(BadInputException.class, () -> generate(prompt, greedy)).getMessage());
    }
    TransformerModel encoder = SmallBert.bert(0, new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
    assertThrows(BadInputException.class, () -> new Generator(encoder, weights));
    weights.get("model.norm.weight").putScalar(0, Double.NaN);
    assertThrows(BadInputException.class, () -> generate(new int[] {1}, greedy));
  }

  @Test
  void rejectsInvalidSettings() {
    Set<Integer> none = Set.of();
    for (double temperature : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(
          BadInputException.class, () -> new GenerationSettings(temperature, 0, 1, 1, 1, none));
    }
    for (double topP : new double[] {0, 1.1, Double.NaN}) {
      assertThrows(BadInputException.class, () -> new GenerationSettings(1, 0, topP, 1, 1, none));
    }
    assertThrows(BadInputException.class, () -> new GenerationSettings(1, -1, 1, 1, 1, none));
    assertThrows(BadInputException.class, () -> new GenerationSettings(1, 0, 1, 1, 0, none));
    GenerationSettings defaults = GenerationSettings.defaults();
    for (double minP : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThrows(BadInputException.class, () -> defaults.withMinP(minP));
    }
    for (double penalty : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(BadInputException.class, () -> defaults.withRepetitionPenalty(penalty));
    }
    assertThrows(BadInputException.class, () -> defaults.withStops(List.of("a", "")));
    assertThrows(BadInputException.class, () -> BeamSearch.of(0));
    assertThrows(BadInputException.class, () -> BeamSearch.NONE.withLengthPenalty(Double.NaN));
  }

  @Test
  void penalisesTokensThatOccurred() {
    float[] scores = {2, -2, 2, -2};
    TokenSampler.penalise(scores, TokenSampler.set(0, 1, 1), 4);
    assertArrayEquals(new float[] {0.5f, -8, 2, -2}, scores);
  }

  @Test
  void printsItsTokens() {
    assertEquals(
        "Generation[ids=[7, 9], end=MAX_TOKENS]",
        new Generation(new int[] {7, 9}, Generation.End.MAX_TOKENS).toString());
  }

  /** Probabilities 0.5, 0.25, 0.15, 0.07, 0.03 of tokens 3, 0, 4, 1, 2. */
  private static final float[] LOGITS = logits(0.25, 0.07, 0.03, 0.5, 0.15);

  private static float[] logits(double... probabilities) {
    float[] logits = new float[probabilities.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) Math.log(probabilities[i]) - 7;
    }
    return logits;
  }

  @Test
  void samplesByProbability() {
    check(1, 0, 1, 0.25, 0.07, 0.03, 0.5, 0.15);
    check(1, 3, 1, 0.25 / 0.9, 0, 0, 0.5 / 0.9, 0.15 / 0.9);
    check(1, 9, 1, 0.25, 0.07, 0.03, 0.5, 0.15);
    check(1, 0, 0.7, 0.25 / 0.75, 0, 0, 0.5 / 0.75, 0);
    check(1, 0, 0.8, 0.25 / 0.9, 0, 0, 0.5 / 0.9, 0.15 / 0.9);
    check(1, 3, 0.8, 0.25 / 0.75, 0, 0, 0.5 / 0.75, 0); // 0.8 of 0.9
    check(
        GenerationSettings.defaults().withTopP(1).withTemperature(1).withMinP(0.3),
        1 / 3.6,
        0,
        0,
        2 / 3.6,
        0.6 / 3.6);
    check(
        GenerationSettings.defaults().withTopP(0.8).withTemperature(1).withMinP(0.45),
        1 / 3.0,
        0,
        0,
        2 / 3.0,
        0);
    check(
        GenerationSettings.defaults().withTopP(1).withTemperature(0.5).withMinP(0.24),
        0.2,
        0,
        0,
        0.8,
        0);
    double sum = 0.25 * 0.25 + 0.07 * 0.07 + 0.03 * 0.03 + 0.5 * 0.5 + 0.15 * 0.15;
    check(0.5, 0, 1, 0.0625 / sum, 0.0049 / sum, 0.0009 / sum, 0.25 / sum, 0.0225 / sum);
  }

  private static void check(double temperature, int topK, double topP, double... expected) {
    check(new GenerationSettings(temperature, topK, topP, 11, 1, Set.of()), expected);
  }

  private static void check(GenerationSettings settings, double... expected) {
    TokenSampler sampler = new TokenSampler(settings);
    int draws = 100_000;
    int[] counts = new int[expected.length];
    for (int i = 0; i < draws; i++) {
      counts[sampler.next(LOGITS)]++;
    }
    double worst = 0;
    for (int id = 0; id < expected.length; id++) {
      assertEquals(expected[id] == 0, counts[id] == 0);
      worst = Math.max(worst, Math.abs((double) counts[id] / draws - expected[id]));
    }
    System.out.printf(
        "T %s, k %d, p %s, min p %s: frequencies within %.1e%n",
        settings.temperature(), settings.topK(), settings.topP(), settings.minP(), worst);
    assertTrue(worst < 5e-3); // three standard deviations of the least certain one
  }
}

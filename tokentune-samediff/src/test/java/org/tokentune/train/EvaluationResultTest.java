package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;

class EvaluationResultTest {

  @Test
  void theBestEvaluationIsByTheMeanOfTheMetricsAskedFor() {
    EvaluationResult accurate = evaluation(0.80, 0.50, 0.7);
    EvaluationResult balanced = evaluation(0.75, 0.70, 0.7);
    List<Metric> both = List.of(Metric.ACCURACY, Metric.F1);
    assertTrue(accurate.betterThan(balanced, List.of()));
    assertTrue(balanced.betterThan(accurate, both));
    assertFalse(accurate.betterThan(balanced, both));
    assertFalse(evaluation(0.9, Double.NaN, 0.1).betterThan(accurate, both));
  }

  @Test
  void ofEqualScoresTheLowerLossIsBetter() {
    EvaluationResult early = evaluation(1, 1, 0.96);
    EvaluationResult late = evaluation(1, 1, 0.01);
    assertTrue(late.betterThan(early, List.of()));
    assertFalse(early.betterThan(late, List.of()));
    assertFalse(early.betterThan(early, List.of()));
    assertFalse(evaluation(1, 1, Double.NaN).betterThan(early, List.of()));
    assertFalse(evaluation(0.9, 0.9, 0).betterThan(early, List.of()));
  }

  @Test
  void ofLossesTheLowerIsBetter() {
    EvaluationResult accurate = evaluation(0.9, 0.9, 0.5);
    EvaluationResult sure = evaluation(0.8, 0.8, 0.4);
    assertTrue(sure.betterThan(accurate, List.of(Metric.LOSS)));
    assertFalse(accurate.betterThan(sure, List.of(Metric.LOSS)));
  }

  /** Small steps count once they add up to the difference. */
  @Test
  void smallImprovementsDoNotCountForThePatience() {
    Progress progress = Progress.NONE;
    int[] expected = {0, 1, 0, 1, 2, 3};
    double[] accuracies = {0.80, 0.805, 0.812, 0.812, 0.5, 0.82};
    for (int i = 0; i < expected.length; i++) {
      EvaluationResult next = evaluation(accuracies[i], 0, 1 - 0.1 * i);
      progress = progress.evaluated(next, next.betterThan(progress.best(), List.of()));
      assertEquals(expected[i], progress.withoutGain(List.of(), 0.01, 0), "evaluation " + i);
    }
    assertEquals(0.82, progress.best().scores().accuracy());
    assertEquals(0, progress.withoutGain(List.of(), 0, 0));
  }

  /** They set what is to be beaten, and count for nothing else. */
  @Test
  void firstEpochsDoNotCountForThePatience() {
    Progress progress = Progress.NONE;
    int[] expected = {0, 0, 0, 1, 2, 0};
    double[] accuracies = {0.8, 0.7, 0.7, 0.7, 0.7, 0.9};
    for (int i = 0; i < expected.length; i++) {
      EvaluationResult scored = evaluation(accuracies[i], 0, 1);
      EvaluationResult next = new EvaluationResult(i + 1, i + 1, 0, scored.scores());
      progress = progress.evaluated(next, next.betterThan(progress.best(), List.of()));
      assertEquals(expected[i], progress.withoutGain(List.of(), 0, 3), "evaluation " + i);
    }
  }

  private static EvaluationResult evaluation(double accuracy, double f1, double loss) {
    Map<Metric, Double> metrics = Map.of(Metric.ACCURACY, accuracy, Metric.F1, f1);
    return new EvaluationResult(
        1, 1, 0, new Scores(Objectives.CLASSIFY, 1, loss, metrics, new long[0][]));
  }
}

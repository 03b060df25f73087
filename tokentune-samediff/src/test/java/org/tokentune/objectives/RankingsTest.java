package org.tokentune.objectives;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RankingsTest {

  /** A found text of two: gains 1, of at most 1 + 1 / log2(3). */
  @Test
  void textsThatAreRepeatedCountOnce() {
    Rankings rankings = new Rankings();
    rankings.add(List.of("a", "a", "a"), Set.of("a", "b"));
    Map<Metric, Double> scores = rankings.metrics();
    System.out.println(scores);
    assertEquals(0.5, scores.get(Metric.RECALL_AT_5));
    assertEquals(0.2, scores.get(Metric.PRECISION_AT_5));
    assertEquals(0.5, scores.get(Metric.MAP_AT_100));
    assertEquals(1 / (1 + Math.log(2) / Math.log(3)), scores.get(Metric.NDCG_AT_10), 1e-12);
  }
}

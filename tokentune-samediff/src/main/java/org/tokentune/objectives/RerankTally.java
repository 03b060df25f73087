package org.tokentune.objectives;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Scores the order of each query's texts. Of texts with the same score the relevant ones come last:
 * data often lists them first, so that a model that tells nothing apart would have found them all.
 */
final class RerankTally implements Tally {

  /** Texts that are at least this relevant count as relevant. */
  private static final float RELEVANT = 0.5f;

  private static final Set<Metric> METRICS = Set.of(Metric.MRR_AT_10, Metric.NDCG_AT_10);

  private final Map<Long, List<Ranked>> queries = new LinkedHashMap<>();

  private record Ranked(double score, boolean relevant) {}

  @Override
  public long add(INDArray labels, INDArray logits) {
    float[][] of = labels.toFloatMatrix();
    double[] scores = logits.reshape(-1).toDoubleVector();
    for (int i = 0; i < scores.length; i++) {
      queries
          .computeIfAbsent(EmbeddingLabel.key(of[i][1], of[i][2]), query -> new ArrayList<>())
          .add(new Ranked(scores[i], of[i][0] >= RELEVANT));
    }
    return scores.length;
  }

  @Override
  public Set<Metric> metrics() {
    return METRICS;
  }

  @Override
  public Scores scores(long rows, double loss) {
    Rankings rankings = new Rankings();
    for (List<Ranked> texts : queries.values()) {
      boolean[] hits = new boolean[texts.size()];
      int relevant = 0;
      texts.sort(
          Comparator.comparingDouble((Ranked text) -> -text.score())
              .thenComparing(Ranked::relevant));
      for (int i = 0; i < hits.length; i++) {
        hits[i] = texts.get(i).relevant();
        relevant += hits[i] ? 1 : 0;
      }
      rankings.add(hits, relevant);
    }
    Map<Metric, Double> metrics = new EnumMap<>(rankings.metrics());
    metrics.keySet().retainAll(METRICS);
    return new Scores(Objectives.RERANK, rows, loss, metrics, new long[0][]);
  }
}

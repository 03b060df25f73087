package org.tokentune.objectives;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Scores vectors: of pairs with scores the correlations of their cosines, otherwise retrieval of
 * the anchors' positives among all positives and negatives.
 */
final class EmbeddingTally implements Tally {

  private final Objective objective;
  private final EmbeddingLoss loss;
  private final Map<Long, float[]> anchors = new LinkedHashMap<>();
  private final Map<Long, Set<Long>> relevant = new HashMap<>();
  private final Map<Long, float[]> documents = new LinkedHashMap<>();
  private final List<Double> cosines = new ArrayList<>();
  private final List<Double> scores = new ArrayList<>();

  EmbeddingTally(Objective objective, EmbeddingLoss loss) {
    this.objective = objective;
    this.loss = loss;
  }

  @Override
  public long add(INDArray labels, INDArray logits) {
    float[][] of = labels.toFloatMatrix();
    float[][] vectors = logits.toFloatMatrix();
    int rows = vectors.length / loss.columns();
    for (int row = 0; row < rows; row++) {
      float[] anchor = Retrieval.normalized(vectors[row]);
      if (loss.kind().scored()) {
        cosines.add(Retrieval.product(anchor, Retrieval.normalized(vectors[rows + row])));
        scores.add((double) of[row][EmbeddingLabel.SCORE]);
        continue;
      }
      long key = key(of[row]);
      anchors.putIfAbsent(key, anchor);
      relevant.computeIfAbsent(key, query -> new HashSet<>()).add(key(of[rows + row]));
      for (int text = rows + row; text < vectors.length; text += rows) {
        documents.putIfAbsent(key(of[text]), Retrieval.normalized(vectors[text]));
      }
    }
    return rows;
  }

  private static long key(float[] label) {
    return EmbeddingLabel.keyIn(label);
  }

  @Override
  public Set<Metric> metrics() {
    return loss.kind().scored() ? Set.of(Metric.PEARSON, Metric.SPEARMAN) : Rankings.METRICS;
  }

  @Override
  public Scores scores(long rows, double mean) {
    if (loss.kind().scored()) {
      return new Scores(
          objective, rows, mean, Retrieval.correlations(cosines, scores), new long[0][]);
    }
    Rankings rankings = new Rankings();
    List<Long> keys = List.copyOf(documents.keySet());
    float[][] matrix = documents.values().toArray(float[][]::new);
    anchors.forEach(
        (query, vector) -> {
          int[] best = Retrieval.nearest(vector, matrix, Rankings.DEPTH);
          rankings.add(Arrays.stream(best).mapToObj(keys::get).toList(), relevant.get(query));
        });
    return new Scores(objective, rows, mean, rankings.metrics(), new long[0][]);
  }
}

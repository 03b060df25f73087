package org.tokentune.objectives;

import static org.tokentune.Arguments.required;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Search among vectors by their cosines. */
public final class Retrieval {

  private Retrieval() {}

  /** A vector of length 1; zeros stay zeros. */
  public static float[] normalized(float[] vector) {
    required(vector, "vector");

    double length = Math.max(1e-12, Math.sqrt(product(vector, vector)));
    float[] result = new float[vector.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = (float) (vector[i] / length);
    }
    return result;
  }

  /** The sum of products. */
  static double product(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  /**
   * The numbers of the vectors nearest to another, the nearest first; equally near ones in their
   * order.
   *
   * @param query of length 1
   * @param vectors of length 1
   */
  public static int[] nearest(float[] query, float[][] vectors, int count) {
    required(query, "query");
    required(vectors, "vectors");

    double[] cosines = new double[vectors.length];
    for (int i = 0; i < cosines.length; i++) {
      cosines[i] = product(query, vectors[i]);
    }
    return IntStream.range(0, cosines.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -cosines[i]))
        .limit(count)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  /** Pearson's and Spearman's correlation of cosines with scores. */
  public static Map<Metric, Double> correlations(List<Double> cosines, List<Double> scores) {
    required(cosines, "cosines");
    required(scores, "scores");

    double[] one = cosines.stream().mapToDouble(Double::doubleValue).toArray();
    double[] other = scores.stream().mapToDouble(Double::doubleValue).toArray();
    return Map.of(
        Metric.PEARSON, Metrics.pearson(one, other), Metric.SPEARMAN, Metrics.spearman(one, other));
  }
}

package org.tokentune.objectives;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Formulas of the {@link Metric}s, as in scikit-learn and SciPy. Classes are given as a confusion
 * matrix of [actual][predicted] rows.
 */
final class Metrics {

  private Metrics() {}

  /** The share of rows on the diagonal; NaN without rows. */
  static double accuracy(long[][] confusion) {
    long right = IntStream.range(0, confusion.length).mapToLong(i -> confusion[i][i]).sum();
    long all = Arrays.stream(confusion).flatMapToLong(Arrays::stream).sum();
    return (double) right / all;
  }

  /** F1 of one class: {@link #f1(long, long)}. */
  static double f1(long[][] confusion, int positive) {
    long right = confusion[positive][positive];
    long actual = Arrays.stream(confusion[positive]).sum();
    long predicted = Arrays.stream(confusion).mapToLong(row -> row[positive]).sum();
    return f1(right, actual + predicted - 2 * right);
  }

  /**
   * {@code 2 TP / (2 TP + FP + FN)}, the harmonic mean of precision and recall; 0 if all are 0.
   *
   * @param right true positives
   * @param wrong false positives and false negatives
   */
  static double f1(long right, long wrong) {
    return right == 0 ? 0 : 2.0 * right / (2 * right + wrong);
  }

  /** The mean F1 over the classes; 0 for a class that is neither actual nor predicted. */
  static double macroF1(long[][] confusion) {
    return IntStream.range(0, confusion.length)
        .mapToDouble(positive -> f1(confusion, positive))
        .average()
        .orElse(Double.NaN);
  }

  /**
   * Matthews' correlation of two classes (Matthews, 1975): {@code (TP TN - FP FN) / sqrt((TP + FP)
   * (TP + FN) (TN + FP) (TN + FN))}; 0 if a class is never actual or never predicted.
   */
  static double matthews(long[][] confusion) {
    double tn = confusion[0][0];
    double fp = confusion[0][1];
    double fn = confusion[1][0];
    double tp = confusion[1][1];
    double product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);
    return product == 0 ? 0 : (tp * tn - fp * fn) / Math.sqrt(product);
  }

  /** Mean of the squared differences. */
  static double meanSquaredError(double[] actual, double[] predicted) {
    return IntStream.range(0, actual.length)
        .mapToDouble(i -> (actual[i] - predicted[i]) * (actual[i] - predicted[i]))
        .average()
        .orElse(Double.NaN);
  }

  /** Pearson's correlation; NaN if either does not vary. */
  static double pearson(double[] a, double[] b) {
    double[] x = centred(a);
    double[] y = centred(b);
    return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  }

  /**
   * Spearman's correlation: Pearson's correlation of the ranks; equal numbers share their mean
   * rank.
   */
  static double spearman(double[] a, double[] b) {
    return pearson(ranks(a), ranks(b));
  }

  private static double[] centred(double[] values) {
    double mean = Arrays.stream(values).average().orElse(Double.NaN);
    return Arrays.stream(values).map(value -> value - mean).toArray();
  }

  private static double dot(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> a[i] * b[i]).sum();
  }

  private static double[] ranks(double[] values) {
    int[] order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> values[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] ranks = new double[values.length];
    for (int from = 0, to; from < order.length; from = to) {
      to = from + 1;
      while (to < order.length && values[order[to]] == values[order[from]]) {
        to++;
      }
      for (int i = from; i < to; i++) {
        ranks[order[i]] = (from + to - 1) / 2.0;
      }
    }
    return ranks;
  }
}

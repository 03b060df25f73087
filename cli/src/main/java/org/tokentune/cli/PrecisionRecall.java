package org.tokentune.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Precision and recall of a label at every threshold of its probability.
 *
 * @param average the average precision: the sum of precisions, each times the gain in recall at its
 *     threshold, as scikit-learn has it; NaN if nothing has the label
 * @param points at some thresholds, from the highest to the lowest
 */
record PrecisionRecall(double average, List<Point> points) {

  /** Points of a curve; more could not be told apart. */
  private static final int MOST_POINTS = 200;

  /** What would be right if all probabilities from a threshold on were taken as the label. */
  record Point(double recall, double precision, double threshold) {}

  /**
   * Counts.
   *
   * @param probabilities of the label
   * @param actual whether each has the label
   */
  static PrecisionRecall of(double[] probabilities, boolean[] actual) {
    int[] order =
        IntStream.range(0, probabilities.length)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> -probabilities[i]))
            .mapToInt(i -> i)
            .toArray();
    int all = 0;
    for (boolean one : actual) {
      all += one ? 1 : 0;
    }
    if (all == 0) {
      return new PrecisionRecall(Double.NaN, List.of());
    }
    List<Point> points = new ArrayList<>();
    double average = 0;
    double before = 0;
    int right = 0;
    for (int i = 0; i < order.length; i++) {
      right += actual[order[i]] ? 1 : 0;
      double threshold = probabilities[order[i]];
      if (i + 1 < order.length && probabilities[order[i + 1]] == threshold) {
        continue; // equal probabilities are taken together
      }
      double recall = right / (double) all;
      double precision = right / (i + 1.0);
      average += (recall - before) * precision;
      before = recall;
      points.add(new Point(recall, precision, threshold));
    }
    return new PrecisionRecall(average, thinned(points));
  }

  private static List<Point> thinned(List<Point> points) {
    int stride = (points.size() + MOST_POINTS - 1) / MOST_POINTS;
    return IntStream.range(0, points.size())
        .filter(i -> i % stride == 0 || i == points.size() - 1)
        .mapToObj(points::get)
        .toList();
  }
}

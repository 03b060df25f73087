package org.tokentune.ops.internal.kernels;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Row labels and weights of a softmax cross entropy. */
public final class CrossEntropyRows {

  /** Label of a row that does not count. */
  public static final int IGNORED = -100;

  private final int[] labels;
  private final float[] classWeights;
  private final int classes;
  private final double smoothing;
  private final double total;
  private final double spread;

  /**
   * @param labels [rows]
   * @param classWeights [classes], or empty
   * @param smoothing share of a label that is spread over all classes
   */
  public CrossEntropyRows(
      INDArray labels, List<INDArray> classWeights, int classes, double smoothing) {
    this.classes = classes;
    this.smoothing = smoothing;
    this.labels = Memory.intValues(labels);
    this.classWeights = classWeights.isEmpty() ? null : Memory.floatValues(classWeights.get(0));
    double sum = 0;
    for (int row = 0; row < this.labels.length; row++) {
      int label = this.labels[row];
      if (label != IGNORED && (label < 0 || label >= classes)) {
        throw new IllegalArgumentException(
            "label " + label + " is not one of " + classes + " classes");
      }
      sum += weight(row);
    }
    total = sum;
    double parts = 0;
    for (int i = 0; smooths() && i < classes; i++) {
      parts += spread(i);
    }
    spread = parts;
  }

  public int label(int row) {
    return labels[row];
  }

  public boolean counts(int row) {
    return labels[row] != IGNORED;
  }

  /** A row's weight; 0 for an ignored row. */
  public double weight(int row) {
    if (!counts(row)) {
      return 0;
    }
    return classWeights == null ? 1 : classWeights[labels[row]];
  }

  /** The share of the row's label in the mean; 0 if all weights are 0. */
  public double share(int row) {
    return total == 0 ? 0 : (1 - smoothing) * weight(row) / total;
  }

  /** Whether labels are smoothed. */
  public boolean smooths() {
    return smoothing > 0;
  }

  /** The share of a class in the mean by smoothing, in every row that counts. */
  public double spread(int number) {
    double weight = classWeights == null ? 1 : classWeights[number];
    return total == 0 ? 0 : smoothing / classes * weight / total;
  }

  /** The sum of {@link #spread(int)} over all classes. */
  public double spread() {
    return spread;
  }
}

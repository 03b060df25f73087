package org.tokentune.ops.internal.kernels;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Row labels and weights of a softmax cross entropy. */
public final class CrossEntropyRows {

  /** Label of a row that does not count. */
  public static final int IGNORED = -100;

  private final int[] labels;
  private final float[] classWeights;
  private final double total;

  /**
   * @param labels [rows]
   * @param classWeights [classes], or empty
   */
  public CrossEntropyRows(INDArray labels, List<INDArray> classWeights, int classes) {
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

  /** The row's share of the mean; 0 if all weights are 0. */
  public double share(int row) {
    return total == 0 ? 0 : weight(row) / total;
  }
}

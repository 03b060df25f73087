package org.tokentune.ops;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Labels and weights of the rows of a softmax cross entropy. */
final class CrossEntropyRows {

  private final int[] labels;
  private final float[] classWeights;
  private final double total;

  /**
   * @param labels [rows]
   * @param classWeights [classes], or none
   */
  CrossEntropyRows(INDArray labels, List<INDArray> classWeights, int classes) {
    this.labels = Memory.intValues(labels);
    this.classWeights = classWeights.isEmpty() ? null : Memory.floatValues(classWeights.get(0));
    double sum = 0;
    for (int row = 0; row < this.labels.length; row++) {
      int label = this.labels[row];
      if (label != Losses.IGNORED && (label < 0 || label >= classes)) {
        throw new IllegalArgumentException("label " + label + " of " + classes + " classes");
      }
      sum += weight(row);
    }
    total = sum;
  }

  int label(int row) {
    return labels[row];
  }

  boolean counts(int row) {
    return labels[row] != Losses.IGNORED;
  }

  /** 0 for a row that does not count. */
  double weight(int row) {
    if (!counts(row)) {
      return 0;
    }
    return classWeights == null ? 1 : classWeights[labels[row]];
  }

  /** The row's share in the mean; 0 where no weight counts. */
  double share(int row) {
    return total == 0 ? 0 : weight(row) / total;
  }
}

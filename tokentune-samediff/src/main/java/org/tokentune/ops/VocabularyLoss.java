package org.tokentune.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * {@link Losses#softmaxCrossEntropy} of the logits {@code rows table^T} over a vocabulary, slice by
 * slice of the vocabulary: neither all logits nor all of the table's gradient need exist at once.
 *
 * <p>A chain of {@link FusedSliceSums} takes in the logits of one slice after another; {@link
 * FusedSlicedLoss} makes the loss of what they come to. Backward, {@link FusedSliceGrad} makes the
 * gradient of a slice's logits of them alone.
 */
public final class VocabularyLoss {

  /** Large enough for products at full speed, small beside a layer's activations. */
  private static final int SLICE = 4096;

  private VocabularyLoss() {}

  /**
   * The mean over the rows whose label is not {@link Losses#IGNORED}; fused style only.
   *
   * @param rows [n, hidden]
   * @param table [words, hidden]
   * @param labels INT32 [n], {@link Losses#IGNORED} or 0 to {@code words - 1}; any other throws an
   *     {@link IllegalArgumentException} when run
   */
  public static SDVariable apply(SDVariable rows, Table table, SDVariable labels) {
    return apply(rows, table, labels, SLICE);
  }

  static SDVariable apply(SDVariable rows, Table table, SDVariable labels, int slice) {
    Ops.register();
    SameDiff sd = rows.getSameDiff();
    long words = table.stored().getShape()[0];
    SDVariable[] slices = new FusedRowSlices(sd, table.stored(), words, slice).outputVariables();
    SDVariable sums = null;
    for (int i = 0; i < slices.length; i++) {
      SDVariable logits =
          sd.mmul(rows, table.floats(slices[i], KernelMode.FUSED), false, true, false);
      int first = i * slice;
      sums =
          sums == null
              ? new FusedSliceSums(sd, first, logits, labels).outputVariable()
              : new FusedSliceSums(sd, first, logits, sums, labels).outputVariable();
    }
    return new FusedSlicedLoss(sd, sums, labels, words).outputVariable();
  }
}

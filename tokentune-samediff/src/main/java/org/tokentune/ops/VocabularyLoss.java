package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.tokentune.ops.internal.FusedRowSlices;
import org.tokentune.ops.internal.FusedSliceGrad;
import org.tokentune.ops.internal.FusedSliceSums;
import org.tokentune.ops.internal.FusedSlicedLoss;
import org.tokentune.ops.internal.FusedSlicedLosses;

/**
 * {@link Losses#softmaxCrossEntropy} of the logits {@code rows table^T + bias} over a vocabulary,
 * one vocabulary slice at a time: neither all logits nor the table's whole gradient need to be in
 * memory at once.
 *
 * <p>A chain of {@link FusedSliceSums} accumulates the logits of one slice after another; {@link
 * FusedSlicedLoss} computes the loss from the sums, {@link FusedSlicedLosses} that of every row.
 * Backward, {@link FusedSliceGrad} computes the gradient of a slice's logits from that slice's
 * logits.
 */
public final class VocabularyLoss {

  /** Large enough for matmuls at full speed, small compared to a layer's activations. */
  private static final int SLICE = 4096;

  private VocabularyLoss() {}

  /**
   * The mean over the rows whose label is not {@link Losses#IGNORED}; fused kernel mode only.
   *
   * @param rows [n, hidden]
   * @param table [words, hidden]
   * @param labels INT32 [n], {@link Losses#IGNORED} or 0 to {@code words - 1}; any other throws an
   *     {@link IllegalArgumentException} when run
   */
  public static SDVariable apply(SDVariable rows, Table table, SDVariable labels) {
    required(rows, "rows");
    required(table, "table");
    required(labels, "labels");

    return apply(rows, table, null, labels, SLICE);
  }

  /**
   * The same with a bias.
   *
   * @param bias [words]
   */
  public static SDVariable apply(SDVariable rows, Table table, SDVariable bias, SDVariable labels) {
    required(rows, "rows");
    required(table, "table");
    required(bias, "bias");
    required(labels, "labels");

    return apply(rows, table, bias, labels, SLICE);
  }

  /**
   * The loss of every row, 0 for {@link Losses#IGNORED}: [n]; fused kernel mode only.
   *
   * @param rows [n, hidden]
   * @param table [words, hidden]
   * @param labels as of {@link #apply}
   */
  public static SDVariable ofRows(SDVariable rows, Table table, SDVariable labels) {
    required(rows, "rows");
    required(table, "table");
    required(labels, "labels");

    return ofRows(rows, table, labels, SLICE);
  }

  static SDVariable ofRows(SDVariable rows, Table table, SDVariable labels, int slice) {
    SDVariable sums = sums(rows, table, null, labels, slice);
    return new FusedSlicedLosses(rows.getSameDiff(), sums, labels, words(table)).outputVariable();
  }

  /**
   * @param bias null: none
   */
  static SDVariable apply(
      SDVariable rows, Table table, SDVariable bias, SDVariable labels, int slice) {
    SDVariable sums = sums(rows, table, bias, labels, slice);
    return new FusedSlicedLoss(rows.getSameDiff(), sums, labels, words(table)).outputVariable();
  }

  private static long words(Table table) {
    return table.stored().getShape()[0];
  }

  private static SDVariable sums(
      SDVariable rows, Table table, SDVariable bias, SDVariable labels, int slice) {
    Ops.register();
    SameDiff sd = rows.getSameDiff();
    long words = words(table);
    SDVariable[] slices = new FusedRowSlices(sd, table.stored(), words, slice).outputVariables();
    SDVariable[] biases =
        bias == null
            ? null
            : new FusedRowSlices(sd, bias.reshape(-1, 1), words, slice).outputVariables();
    SDVariable sums = null;
    for (int i = 0; i < slices.length; i++) {
      SDVariable logits =
          sd.mmul(rows, table.floats(slices[i], KernelMode.FUSED), false, true, false);
      if (biases != null) {
        logits = BiasAdd.apply(logits, biases[i].reshape(-1), KernelMode.FUSED);
      }
      int first = i * slice;
      sums =
          sums == null
              ? new FusedSliceSums(sd, first, logits, labels).outputVariable()
              : new FusedSliceSums(sd, first, logits, sums, labels).outputVariable();
    }
    return sums;
  }
}

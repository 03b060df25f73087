package org.tokentune.ops.internal;

import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.CrossEntropyRows;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;

/**
 * Adds the logits of one vocabulary slice to a softmax's running sums (Milakov and Gimelshein,
 * Online normalizer calculation for softmax, 2018): (logits [n, words], labels [n] INT32) for the
 * first slice, (logits, sums [n, 3], labels) for further ones, to sums [n, 3]: a row's greatest
 * logit so far, the sum of exp(logit - greatest), and the logit of its label, once seen. Rows
 * without a label are not read and have sums of 0.
 *
 * <p>As the gradient of its sums it expects the output of {@link FusedSlicedLossGrad}, and it
 * passes the same on to the previous slice.
 */
public final class FusedSliceSums extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code VocabularyLoss}. */
  public FusedSliceSums() {}

  /**
   * @param first index of the slice's first word
   */
  public FusedSliceSums(SameDiff sd, int first, SDVariable... inputs) {
    super(sd, inputs);
    addIArgument(first);
  }

  @Override
  public String opName() {
    return "fused_slice_sums";
  }

  @Override
  public Recomputation recomputation() {
    return Recomputation.SLICED_LOGITS;
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0], 3});
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    boolean chained = inputs.size() == 3;
    RowKernel kernel = RowKernel.over(inputs.get(0));
    FloatBuffer logits = kernel.floats(inputs.get(0));
    FloatBuffer before = chained ? kernel.floats(inputs.get(1)) : null;
    int[] labels = Memory.intValues(inputs.get(inputs.size() - 1));
    FloatBuffer sums = kernel.floats(outputs.get(0));
    int first = getIArgument(0).intValue();
    kernel
        .temporary(3)
        .run(
            (arrays, row, width) -> {
              float[] ofRow = arrays[0];
              if (labels[row] == CrossEntropyRows.IGNORED) {
                ofRow[0] = ofRow[1] = ofRow[2] = 0;
              } else {
                start(before, row, ofRow);
                add(logits, row * width, width, labels[row] - first, ofRow);
              }
              sums.put(3 * row, ofRow, 0, 3);
            });
  }

  private static void start(FloatBuffer before, int row, float[] sums) {
    if (before != null) {
      before.get(3 * row, sums, 0, 3);
    } else {
      sums[0] = Float.NEGATIVE_INFINITY;
      sums[1] = 0;
      sums[2] = 0;
    }
  }

  private static void add(FloatBuffer logits, int start, int width, int label, float[] sums) {
    float greatest = FusedCrossEntropy.greatest(logits, start, width, sums[0]);
    double sum = FusedCrossEntropy.sumExp(logits, start, width, greatest);
    sums[1] = (float) (sum + sums[1] * Math.exp(sums[0] - (double) greatest));
    sums[0] = greatest;
    if (label >= 0 && label < width) {
      sums[2] = logits.get(start + label);
    }
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    SDVariable dSums = gradients.get(0);
    SDVariable labels = arg(args().length - 1);
    SDVariable dLogits =
        new FusedSliceGrad(sameDiff, arg(0), labels, dSums, getIArgument(0).intValue())
            .outputVariable();
    return args().length == 3 ? List.of(dLogits, dSums) : List.of(dLogits);
  }
}

package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.CrossEntropyRows;
import org.tokentune.ops.internal.kernels.Memory;

/**
 * The softmax cross entropy of every row, 0 without a label, from the {@link FusedSliceSums} of all
 * slices [n, 3]: (sums, labels [n] INT32) to losses [n]. An invalid label throws an {@link
 * IllegalArgumentException}.
 */
public final class FusedSlicedLosses extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code VocabularyLoss}. */
  public FusedSlicedLosses() {}

  public FusedSlicedLosses(SameDiff sd, SDVariable sums, SDVariable labels, long words) {
    super(sd, sums, labels);
    addIArgument(Math.toIntExact(words));
  }

  @Override
  public String opName() {
    return "fused_sliced_losses";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0]});
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    float[] sums = Memory.floatValues(inputs.get(0));
    CrossEntropyRows labelled =
        new CrossEntropyRows(inputs.get(1), List.of(), getIArgument(0).intValue(), 0);
    float[] losses = new float[sums.length / 3];
    for (int r = 0; r < losses.length; r++) {
      if (labelled.counts(r)) {
        losses[r] = (float) (sums[3 * r] + Math.log(sums[3 * r + 1]) - sums[3 * r + 2]);
      }
    }
    Memory.floats(outputs.get(0)).put(0, losses);
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new FusedSlicedLossesGrad(sameDiff, arg(0), gradients.get(0)).outputVariable());
  }
}

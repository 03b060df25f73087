package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;

/**
 * As {@link FusedSlicedLossGrad}, of the losses of all rows: (sums [n, 3], dLosses [n]) to [n, 3]:
 * a row's greatest logit, its sum of exponentials, and the gradient of its loss. Not a gradient
 * itself: only {@link FusedSliceSums} accepts it as one.
 */
public final class FusedSlicedLossesGrad extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code VocabularyLoss}. */
  public FusedSlicedLossesGrad() {}

  public FusedSlicedLossesGrad(SameDiff sd, SDVariable sums, SDVariable dLosses) {
    super(sd, sums, dLosses);
  }

  @Override
  public String opName() {
    return "fused_sliced_losses_grad";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public int inPlaceOf(int output) {
    return 0;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    float[] dLosses = Memory.floatValues(inputs.get(1));
    RowKernel.over(inputs.get(0))
        .update(inputs.get(0), outputs.get(0))
        .run((arrays, row, width) -> arrays[0][2] = dLosses[row]);
  }
}

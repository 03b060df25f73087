package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.CrossEntropyRows;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;

/**
 * Inputs for the gradient of every slice's logits: (sums [n, 3], labels [n] INT32, dLoss []) to [n,
 * 3]: a row's greatest logit, its sum of exponentials, and {@code dLoss} times the row's share of
 * the mean. Not a gradient itself: only {@link FusedSliceSums} accepts it as one.
 */
public final class FusedSlicedLossGrad extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code VocabularyLoss}. */
  public FusedSlicedLossGrad() {}

  public FusedSlicedLossGrad(
      SameDiff sd, SDVariable sums, SDVariable labels, SDVariable dLoss, long words) {
    super(sd, sums, labels, dLoss);
    addIArgument(Math.toIntExact(words));
  }

  @Override
  public String opName() {
    return "fused_sliced_loss_grad";
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
    CrossEntropyRows labelled =
        new CrossEntropyRows(inputs.get(1), List.of(), getIArgument(0).intValue(), 0);
    float dLoss = Memory.floatValues(inputs.get(2))[0];
    RowKernel.over(inputs.get(0))
        .update(inputs.get(0), outputs.get(0))
        .run((arrays, row, width) -> arrays[0][2] = (float) (labelled.share(row) * dLoss));
  }
}

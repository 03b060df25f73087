package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.CrossEntropyRows;
import org.tokentune.ops.internal.kernels.Memory;

/**
 * The mean softmax cross entropy over rows with a label, from the {@link FusedSliceSums} of all
 * slices [n, 3]; 0 if no row has a label: (sums, labels [n] INT32) to loss []. An invalid label
 * throws an {@link IllegalArgumentException}.
 */
public final class FusedSlicedLoss extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code VocabularyLoss}. */
  public FusedSlicedLoss() {}

  public FusedSlicedLoss(SameDiff sd, SDVariable sums, SDVariable labels, long words) {
    super(sd, sums, labels);
    addIArgument(Math.toIntExact(words));
  }

  @Override
  public String opName() {
    return "fused_sliced_loss";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[0]);
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    float[] sums = Memory.floatValues(inputs.get(0));
    CrossEntropyRows labelled =
        new CrossEntropyRows(inputs.get(1), List.of(), getIArgument(0).intValue(), 0);
    double loss = 0;
    for (int r = 0; r < inputs.get(0).size(0); r++) {
      if (labelled.counts(r)) {
        double logSum = sums[3 * r] + Math.log(sums[3 * r + 1]);
        loss += labelled.share(r) * (logSum - sums[3 * r + 2]);
      }
    }
    Memory.setScalar(outputs.get(0), (float) loss);
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new FusedSlicedLossGrad(sameDiff, arg(0), arg(1), gradients.get(0), getIArgument(0))
            .outputVariable());
  }
}

package org.tokentune.ops.internal;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.PairLoss;

/**
 * {@code Losses.binaryCrossEntropy} or {@code Losses.meanSquaredError} as one node: (predictions,
 * targets) of the same shape to the mean loss []. The targets have no gradient.
 */
public final class FusedMeanLoss extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code Losses}. */
  public FusedMeanLoss() {}

  public FusedMeanLoss(SameDiff sd, SDVariable predictions, SDVariable targets, boolean binary) {
    super(sd, predictions, targets);
    addIArgument(binary ? 1 : 0);
  }

  @Override
  public String opName() {
    return "fused_mean_loss";
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if predictions and targets differ in shape
   */
  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    if (!Arrays.equals(inputs.get(0), inputs.get(1))) {
      throw new IllegalArgumentException(
          "predictions "
              + Arrays.toString(inputs.get(0))
              + " and targets "
              + Arrays.toString(inputs.get(1))
              + " differ in shape");
    }
    return List.of(new long[0]);
  }

  static PairLoss loss(boolean binary) {
    return binary ? PairLoss.BINARY_CROSS_ENTROPY : PairLoss.SQUARED_ERROR;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    PairLoss loss = loss(getIArgument(0) == 1);
    float[] predictions = Memory.floatValues(inputs.get(0));
    float[] targets = Memory.floatValues(inputs.get(1));
    double sum = 0;
    for (int i = 0; i < predictions.length; i++) {
      sum += loss.of(predictions[i], targets[i]);
    }
    Memory.setScalar(outputs.get(0), (float) (sum / predictions.length));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    boolean binary = getIArgument(0) == 1;
    return List.of(
        new FusedMeanLossGrad(sameDiff, arg(0), arg(1), gradients.get(0), binary).outputVariable());
  }
}

package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.PairLoss;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Gradient of {@link FusedMeanLoss}: (predictions, targets, dLoss []) to dPredictions in place of
 * the predictions: {@code dLoss / n} times the derivative of the loss for each of the n pairs.
 */
public final class FusedMeanLossGrad extends ElementwiseOp {

  /** For SameDiff, which creates ops by reflection; use {@code Losses}. */
  public FusedMeanLossGrad() {}

  public FusedMeanLossGrad(
      SameDiff sd, SDVariable predictions, SDVariable targets, SDVariable dLoss, boolean binary) {
    super(sd, predictions, targets, dLoss);
    addIArgument(binary ? 1 : 0);
  }

  @Override
  public String opName() {
    return "fused_mean_loss_grad";
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    PairLoss loss = FusedMeanLoss.loss(getIArgument(0) == 1);
    double share = (double) Memory.floatValues(inputs.get(2))[0] / inputs.get(0).length();
    Tiles.run(
        inputs.subList(0, 2),
        outputs,
        (tile, length) -> {
          for (int i = 0; i < length; i++) {
            tile[2][i] = (float) (share * loss.slope(tile[0][i], tile[1][i]));
          }
        });
  }
}

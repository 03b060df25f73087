package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Gradient of {@link FusedSoftCap}: (y, dY) to {@code dY * factor * (1 - (y / cap)^2)}, in place of
 * dY.
 */
public final class FusedSoftCapGrad extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code SoftCap.apply}. */
  public FusedSoftCapGrad() {}

  public FusedSoftCapGrad(SameDiff sd, SDVariable y, SDVariable dY, double factor, double cap) {
    super(sd, y, dY);
    addTArgument(factor, cap);
  }

  @Override
  public String opName() {
    return "fused_soft_cap_grad";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public int inPlaceOf(int output) {
    return 1;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    float factor = getTArgument(0).floatValue();
    float inverse = (float) (1 / getTArgument(1));
    Tiles.run(
        inputs,
        outputs,
        (tile, length) -> {
          for (int i = 0; i < length; i++) {
            float tanh = tile[0][i] * inverse;
            tile[2][i] = tile[1][i] * factor * (1 - tanh * tanh);
          }
        });
  }
}

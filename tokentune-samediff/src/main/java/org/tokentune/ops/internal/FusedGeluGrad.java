package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ActivationKernel;
import org.tokentune.ops.internal.kernels.Tiles;

/** Gradient of {@link FusedGelu}: (dY, x) to {@code dX = dY * f'(x)}, in place of dY. */
public final class FusedGeluGrad extends ElementwiseOp {

  /** For SameDiff, which creates ops by reflection; use {@code Gelu}. */
  public FusedGeluGrad() {}

  public FusedGeluGrad(SameDiff sd, SDVariable dY, SDVariable x, boolean exact) {
    super(sd, dY, x);
    addIArgument(exact ? 1 : 0);
  }

  @Override
  public String opName() {
    return "fused_gelu_grad";
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    ActivationKernel kernel = FusedGelu.kernel(getIArgument(0) == 1);
    Tiles.run(
        inputs,
        outputs,
        (tile, length) -> {
          kernel.slope(tile[1], tile[2], length);
          Tiles.multiply(tile[2], tile[0], length);
        });
  }
}

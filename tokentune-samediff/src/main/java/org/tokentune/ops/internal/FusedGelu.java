package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ActivationKernel;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * {@code Gelu} as one node: x of any shape, in place. See {@link ActivationKernel} for the
 * formulas.
 */
public final class FusedGelu extends ElementwiseOp {

  /** For SameDiff, which creates ops by reflection; use {@code Gelu}. */
  public FusedGelu() {}

  public FusedGelu(SameDiff sd, SDVariable x, boolean exact) {
    super(sd, x);
    addIArgument(exact ? 1 : 0);
  }

  static ActivationKernel kernel(boolean exact) {
    return exact ? ActivationKernel.GELU : ActivationKernel.GELU_TANH;
  }

  @Override
  public String opName() {
    return "fused_gelu";
  }

  @Override
  public String resultName() {
    return "results of GELU";
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    ActivationKernel kernel = kernel(getIArgument(0) == 1);
    Tiles.run(inputs, outputs, (tile, length) -> kernel.forward(tile[0], tile[1], length));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    boolean exact = getIArgument(0) == 1;
    return List.of(new FusedGeluGrad(sameDiff, gradients.get(0), arg(0), exact).outputVariable());
  }
}

package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ActivationKernel;
import org.tokentune.ops.internal.kernels.Tiles;

/** {@code SwiGlu} as one node: (gate, up) to {@code silu(gate) * up}, in place of the gate. */
public final class FusedSwiGlu extends ElementwiseOp {

  /** For SameDiff, which creates ops by reflection; use {@code SwiGlu.apply}. */
  public FusedSwiGlu() {}

  public FusedSwiGlu(SameDiff sd, SDVariable gate, SDVariable up) {
    super(sd, gate, up);
  }

  @Override
  public String opName() {
    return "fused_swiglu";
  }

  @Override
  public String resultName() {
    return "results of SwiGLU";
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    Tiles.run(
        inputs,
        outputs,
        (tile, length) -> {
          ActivationKernel.SILU.forward(tile[0], tile[2], length);
          Tiles.multiply(tile[2], tile[1], length);
        });
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new FusedSwiGluGrad(sameDiff, arg(0), arg(1), gradients.get(0)).outputVariables());
  }
}

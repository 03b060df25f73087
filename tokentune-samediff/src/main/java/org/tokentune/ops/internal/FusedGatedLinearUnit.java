package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ActivationKernel;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * {@code GatedLinearUnit} as one node: (gate, up) to {@code f(gate) * up}, in place of the gate.
 * The integer argument is the number of f among the {@link ActivationKernel}s.
 */
public final class FusedGatedLinearUnit extends ElementwiseOp {

  /** For SameDiff, which creates ops by reflection; use {@code GatedLinearUnit}. */
  public FusedGatedLinearUnit() {}

  public FusedGatedLinearUnit(
      SameDiff sd, SDVariable gate, SDVariable up, ActivationKernel activation) {
    super(sd, gate, up);
    addIArgument(activation.number);
  }

  @Override
  public String opName() {
    return "fused_glu";
  }

  @Override
  public String resultName() {
    return "results of gated units";
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    ActivationKernel activation = ActivationKernel.of(getIArgument(0));
    Tiles.run(
        inputs,
        outputs,
        (tile, length) -> {
          activation.forward(tile[0], tile[2], length);
          Tiles.multiply(tile[2], tile[1], length);
        });
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new FusedGatedLinearUnitGrad(
                sameDiff, arg(0), arg(1), gradients.get(0), ActivationKernel.of(getIArgument(0)))
            .outputVariables());
  }
}

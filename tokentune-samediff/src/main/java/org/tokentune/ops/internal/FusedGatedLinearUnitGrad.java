package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ActivationKernel;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Gradient of {@link FusedGatedLinearUnit}: (gate, up, dY) to (dGate, dUp), in place of gate and
 * up: {@code dGate = dY * up * f'(gate)}, {@code dUp = dY * f(gate)}.
 */
public final class FusedGatedLinearUnitGrad extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code GatedLinearUnit}. */
  public FusedGatedLinearUnitGrad() {}

  public FusedGatedLinearUnitGrad(
      SameDiff sd, SDVariable gate, SDVariable up, SDVariable dY, ActivationKernel activation) {
    super(sd, gate, up, dY);
    addIArgument(activation.number);
  }

  @Override
  public String opName() {
    return "fused_glu_grad";
  }

  @Override
  public int getNumOutputs() {
    return 2;
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0), inputs.get(1));
  }

  @Override
  public int inPlaceOf(int output) {
    return output;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    ActivationKernel activation = ActivationKernel.of(getIArgument(0));
    Tiles.run(
        inputs,
        outputs,
        (tile, length) -> {
          float[] dGate = tile[3];
          float[] dUp = tile[4];
          activation.slope(tile[0], dGate, length);
          Tiles.multiply(dGate, tile[1], length);
          Tiles.multiply(dGate, tile[2], length);
          activation.forward(tile[0], dUp, length);
          Tiles.multiply(dUp, tile[2], length);
        });
  }
}

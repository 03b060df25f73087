package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ActivationKernel;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Gradient of {@link FusedSwiGlu}: (gate, up, dY) to (dGate, dUp), in place of gate and up: {@code
 * dGate = dY * up * silu'(gate)}, {@code dUp = dY * silu(gate)}.
 */
public final class FusedSwiGluGrad extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code SwiGlu.apply}. */
  public FusedSwiGluGrad() {}

  public FusedSwiGluGrad(SameDiff sd, SDVariable gate, SDVariable up, SDVariable dY) {
    super(sd, gate, up, dY);
  }

  @Override
  public String opName() {
    return "fused_swiglu_grad";
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
    Tiles.run(
        inputs,
        outputs,
        (tile, length) -> {
          float[] dGate = tile[3];
          float[] dUp = tile[4];
          ActivationKernel.SILU.slope(tile[0], dGate, length);
          Tiles.multiply(dGate, tile[1], length);
          Tiles.multiply(dGate, tile[2], length);
          ActivationKernel.SILU.forward(tile[0], dUp, length);
          Tiles.multiply(dUp, tile[2], length);
        });
  }
}

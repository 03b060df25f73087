package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Exp;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * {@code SoftCap} as one node: x of any shape to {@code cap * tanh(factor * x / cap)}, in place.
 */
public final class FusedSoftCap extends FusedOp {

  /** From here on, the hyperbolic tangent is 1 in float. */
  private static final float FAR = 10;

  /** For SameDiff, which creates ops by reflection; use {@code SoftCap.apply}. */
  public FusedSoftCap() {}

  public FusedSoftCap(SameDiff sd, SDVariable x, double factor, double cap) {
    super(sd, x);
    addTArgument(factor, cap);
  }

  @Override
  public String opName() {
    return "fused_soft_cap";
  }

  @Override
  public String resultName() {
    return "capped scores";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public int inPlaceOf(int output) {
    return 0;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    float cap = getTArgument(1).floatValue();
    float scale = (float) (getTArgument(0) / getTArgument(1));
    Tiles.run(inputs, outputs, (tile, length) -> capped(tile[0], tile[1], scale, cap, length));
  }

  /** {@code tanh(u) = sign(u) (1 - e) / (1 + e)}, {@code e = exp(-2 |u|)}. */
  private static void capped(float[] x, float[] y, float scale, float cap, int length) {
    for (int i = 0; i < length; i++) {
      y[i] = -2 * Math.min(Math.abs(x[i] * scale), FAR);
    }
    Exp.inPlace(y, length);
    for (int i = 0; i < length; i++) {
      y[i] = Math.copySign(cap, x[i] * scale) * ((1 - y[i]) / (1 + y[i]));
    }
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new FusedSoftCapGrad(
                sameDiff, outputVariable(), gradients.get(0), getTArgument(0), getTArgument(1))
            .outputVariable());
  }
}

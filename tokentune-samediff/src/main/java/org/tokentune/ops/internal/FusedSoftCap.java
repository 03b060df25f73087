package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.SoftCapKernel;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * {@code SoftCap} as one node: x of any shape to {@code cap * tanh(factor * x / cap)}, in place.
 */
public final class FusedSoftCap extends FusedOp {

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
    Tiles.run(
        inputs,
        outputs,
        (tile, length) -> SoftCapKernel.capped(tile[0], tile[1], scale, cap, length));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new FusedSoftCapGrad(
                sameDiff, outputVariable(), gradients.get(0), getTArgument(0), getTArgument(1))
            .outputVariable());
  }
}

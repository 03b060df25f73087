package org.tokentune.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link Gelu} as one node: x of any shape, in place. See {@link Rectifier} for the formulas. */
public final class FusedGelu extends FusedOp {

  /** For SameDiff, which makes ops by reflection; use {@link Gelu}. */
  public FusedGelu() {}

  FusedGelu(SameDiff sd, SDVariable x, boolean exact) {
    super(sd, x);
    addIArgument(exact ? 1 : 0);
  }

  static Rectifier rectifier(boolean exact) {
    return exact ? Rectifier.GELU : Rectifier.GELU_TANH;
  }

  @Override
  public String opName() {
    return "fused_gelu";
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
  public boolean elementwise() {
    return true;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    Rectifier rectifier = rectifier(getIArgument(0) == 1);
    Tiles.run(inputs, outputs, (tile, length) -> rectifier.forward(tile[0], tile[1], length));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    boolean exact = getIArgument(0) == 1;
    return List.of(new FusedGeluGrad(sameDiff, arg(0), gradients.get(0), exact).outputVariable());
  }
}

package org.tokentune.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Gradient of {@link FusedGelu}: (x, dY) to {@code dX = dY * f'(x)}, in place of dY. */
public final class FusedGeluGrad extends FusedOp {

  /** For SameDiff, which makes ops by reflection; use {@link Gelu}. */
  public FusedGeluGrad() {}

  FusedGeluGrad(SameDiff sd, SDVariable x, SDVariable dY, boolean exact) {
    super(sd, x, dY);
    addIArgument(exact ? 1 : 0);
  }

  @Override
  public String opName() {
    return "fused_gelu_grad";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(1));
  }

  @Override
  public int inPlaceOf(int output) {
    return 1;
  }

  @Override
  public boolean elementwise() {
    return true;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    Rectifier rectifier = FusedGelu.rectifier(getIArgument(0) == 1);
    Tiles.run(
        inputs,
        outputs,
        (tile, length) -> {
          rectifier.slope(tile[0], tile[2], length);
          Tiles.multiply(tile[2], tile[1], length);
        });
  }
}

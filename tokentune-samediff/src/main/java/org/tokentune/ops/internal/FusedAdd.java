package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ColumnSums;
import org.tokentune.ops.internal.kernels.Tiles;

/** {@code Residual} as one node: (x, y) to {@code x + y}, in place of x. */
public final class FusedAdd extends ElementwiseOp {

  /** For SameDiff, which creates ops by reflection; use {@code Residual.apply}. */
  public FusedAdd() {}

  public FusedAdd(SameDiff sd, SDVariable x, SDVariable y) {
    super(sd, x, y);
  }

  @Override
  public String opName() {
    return "fused_add";
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    Tiles.run(
        inputs,
        outputs,
        (tile, length) -> {
          System.arraycopy(tile[0], 0, tile[2], 0, length);
          ColumnSums.add(tile[1], tile[2], length);
        });
  }

  /** Both receive the same gradient. */
  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(gradients.get(0), gradients.get(0));
  }
}

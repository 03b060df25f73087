package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ColumnSums;
import org.tokentune.ops.internal.kernels.RowKernel;

/** Gradient of a bias: the sums of the columns of dY [n, m], to [m]. */
public final class BiasGrad extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code BiasAdd.apply}. */
  public BiasGrad() {}

  public BiasGrad(SameDiff sd, SDVariable dY) {
    super(sd, dY);
  }

  @Override
  public String opName() {
    return "fused_bias_grad";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[1]});
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    RowKernel.over(inputs.get(0))
        .read(inputs.get(0))
        .sum(outputs.get(0))
        .run((arrays, row, width) -> ColumnSums.add(arrays[0], arrays[1], width));
  }
}

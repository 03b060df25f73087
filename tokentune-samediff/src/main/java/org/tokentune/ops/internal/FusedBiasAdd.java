package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ColumnSums;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;

/** {@code BiasAdd} as one node: (x [n, m], bias [m]) to [n, m], in place. */
public final class FusedBiasAdd extends ElementwiseOp {

  /** For SameDiff, which creates ops by reflection; use {@code BiasAdd.apply}. */
  public FusedBiasAdd() {}

  public FusedBiasAdd(SameDiff sd, SDVariable x, SDVariable bias) {
    super(sd, x, bias);
  }

  @Override
  public String opName() {
    return "fused_bias_add";
  }

  @Override
  public String resultName() {
    return "results of linear layers";
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    float[] bias = Memory.floatValues(inputs.get(1));
    RowKernel.over(inputs.get(0))
        .update(inputs.get(0), outputs.get(0))
        .run((arrays, row, width) -> ColumnSums.add(bias, arrays[0], width));
  }

  /** {@code dX} is {@code dY} itself. */
  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    SDVariable dY = gradients.get(0);
    return trained(arg(1)) ? List.of(dY, new BiasGrad(sameDiff, dY).outputVariable()) : List.of(dY);
  }
}

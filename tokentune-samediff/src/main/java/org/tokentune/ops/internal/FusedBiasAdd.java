package org.tokentune.ops.internal;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ColumnSums;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.Rows;
import org.tokentune.ops.internal.kernels.Scratch;

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
    FloatBuffer x = Memory.floats(inputs.get(0));
    FloatBuffer y = Memory.floats(outputs.get(0));
    Rows rows = Rows.of(inputs.get(0).shape());
    int width = rows.width();
    float[] bias = Memory.floatValues(inputs.get(1));
    try {
      rows.forEachChunk(
          (chunk, from, to) -> {
            float[] row = Scratch.get().floats(0, width);
            for (int r = from; r < to; r++) {
              x.get(r * width, row, 0, width);
              ColumnSums.add(bias, row, width);
              y.put(r * width, row, 0, width);
            }
          });
    } finally {
      Reference.reachabilityFence(inputs);
      Reference.reachabilityFence(outputs);
    }
  }

  /** {@code dX} is {@code dY} itself. */
  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    SDVariable dY = gradients.get(0);
    return trained(arg(1)) ? List.of(dY, new BiasGrad(sameDiff, dY).outputVariable()) : List.of(dY);
  }
}

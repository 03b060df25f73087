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
    FloatBuffer dY = Memory.floats(inputs.get(0));
    Rows rows = Rows.of(inputs.get(0).shape());
    int width = rows.width();
    ColumnSums sums = new ColumnSums(rows);
    try {
      rows.forEachChunk(
          (chunk, from, to) -> {
            float[] row = Scratch.get().floats(0, width);
            float[] sum = sums.ofChunk(chunk);
            for (int r = from; r < to; r++) {
              dY.get(r * width, row, 0, width);
              ColumnSums.add(row, sum, width);
            }
          });
      sums.total(Memory.floats(outputs.get(0)));
    } finally {
      Reference.reachabilityFence(inputs);
      Reference.reachabilityFence(outputs);
    }
  }
}

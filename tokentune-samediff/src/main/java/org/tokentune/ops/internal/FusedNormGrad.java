package org.tokentune.ops.internal;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.Rows;
import org.tokentune.ops.internal.kernels.Scratch;
import org.tokentune.ops.internal.kernels.Sums;

/**
 * Gradient of {@link FusedNorm}: (dRows [n, h], rows [n, h], inverse [n]) to dX [n, h], in place of
 * dRows: {@code dX = inverse * (dRows - mean(dRows) - rows * mean(dRows * rows))}; the first mean
 * is omitted if the rows are not centred.
 */
public final class FusedNormGrad extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code LayerNormOps.apply}. */
  public FusedNormGrad() {}

  public FusedNormGrad(
      SameDiff sd, SDVariable dRows, SDVariable rows, SDVariable inverse, boolean centred) {
    super(sd, dRows, rows, inverse);
    addIArgument(centred ? 1 : 0);
  }

  @Override
  public String opName() {
    return "fused_normalise_grad";
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
    FloatBuffer dRows = Memory.floats(inputs.get(0));
    FloatBuffer values = Memory.floats(inputs.get(1));
    FloatBuffer inverses = Memory.floats(inputs.get(2));
    FloatBuffer dX = Memory.floats(outputs.get(0));
    Rows rows = Rows.of(inputs.get(0).shape());
    int width = rows.width();
    boolean centred = getIArgument(0) == 1;
    try {
      rows.forEachChunk(
          (chunk, from, to) -> {
            float[] d = Scratch.get().floats(0, width);
            float[] row = Scratch.get().floats(1, width);
            for (int r = from; r < to; r++) {
              dRows.get(r * width, d, 0, width);
              values.get(r * width, row, 0, width);
              float mean = centred ? Sums.sum(d, 0, width) / width : 0;
              float along = Sums.products(d, row, 0, width) / width;
              project(d, row, mean, along, inverses.get(r), width);
              dX.put(r * width, d, 0, width);
            }
          });
    } finally {
      Reference.reachabilityFence(inputs);
      Reference.reachabilityFence(outputs);
    }
  }

  private static void project(
      float[] d, float[] row, float mean, float along, float inverse, int width) {
    for (int i = 0; i < width; i++) {
      d[i] = inverse * (d[i] - mean - row[i] * along);
    }
  }
}

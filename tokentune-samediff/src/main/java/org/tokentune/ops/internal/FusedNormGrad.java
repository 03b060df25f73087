package org.tokentune.ops.internal;

import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.RowKernel;
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
    boolean centred = getIArgument(0) == 1;
    RowKernel kernel =
        RowKernel.over(inputs.get(0)).update(inputs.get(0), outputs.get(0)).read(inputs.get(1));
    FloatBuffer inverses = kernel.floats(inputs.get(2));
    kernel.run(
        (arrays, row, width) -> {
          float[] d = arrays[0];
          float mean = centred ? Sums.sum(d, 0, width) / width : 0;
          float along = Sums.products(d, arrays[1], 0, width) / width;
          project(d, arrays[1], mean, along, inverses.get(row), width);
        });
  }

  private static void project(
      float[] d, float[] row, float mean, float along, float inverse, int width) {
    for (int i = 0; i < width; i++) {
      d[i] = inverse * (d[i] - mean - row[i] * along);
    }
  }
}

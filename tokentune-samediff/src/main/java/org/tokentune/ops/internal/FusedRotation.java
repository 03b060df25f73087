package org.tokentune.ops.internal;

import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Rows;

/**
 * {@code Rotation} as one node: (x [n, heads * d], cos [n, d / 2], sin [n, d / 2]) to x rotated by
 * the angles or back, in place.
 */
public final class FusedRotation extends ElementwiseOp {

  /** For SameDiff, which creates ops by reflection; use {@code Rotation.apply}. */
  public FusedRotation() {}

  public FusedRotation(SameDiff sd, SDVariable x, SDVariable cos, SDVariable sin, boolean back) {
    super(sd, x, cos, sin);
    addIArgument(back ? 1 : 0);
  }

  @Override
  public String opName() {
    return "fused_rotation";
  }

  private boolean back() {
    return getIArgument(0) == 1;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    RowKernel kernel = RowKernel.over(inputs.get(0)).update(inputs.get(0), outputs.get(0));
    FloatBuffer cos = kernel.floats(inputs.get(1));
    FloatBuffer sin = kernel.floats(inputs.get(2));
    Rows rows = kernel.rows();
    int half = (int) inputs.get(1).size(1);
    float sign = back() ? -1 : 1;
    if (rows.width() % (2 * half) != 0 || cos.capacity() != rows.count() * half) {
      throw new IllegalArgumentException(
          "got angles for " + cos.capacity() / half + " rows, " + half + " each, but need " + rows);
    }
    for (int i = 0; i < 3; i++) {
      kernel.temporary(rows.width());
    }
    kernel.run(
        (arrays, row, width) -> {
          float[] x = arrays[0];
          float[] other = arrays[1];
          float[] cosines = arrays[2];
          float[] sines = arrays[3];
          cos.get(row * half, cosines, 0, half);
          sin.get(row * half, sines, half, half);
          for (int i = 0; i < half; i++) {
            sines[half + i] *= sign;
            sines[i] = -sines[half + i];
          }
          // Copies every head and, next to it, its halves swapped, so that one loop covers a whole
          // row.
          for (int i = 0; i < width; i += 2 * half) {
            System.arraycopy(x, i, other, i + half, half);
            System.arraycopy(x, i + half, other, i, half);
            System.arraycopy(cosines, 0, cosines, i, half);
            System.arraycopy(cosines, 0, cosines, i + half, half);
            System.arraycopy(sines, 0, sines, i, 2 * half);
          }
          rotate(x, other, cosines, sines, width);
        });
  }

  private static void rotate(
      float[] row, float[] other, float[] cosines, float[] sines, int width) {
    for (int i = 0; i < width; i++) {
      row[i] = row[i] * cosines[i] + other[i] * sines[i];
    }
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new FusedRotation(sameDiff, gradients.get(0), arg(1), arg(2), !back()).outputVariable());
  }
}

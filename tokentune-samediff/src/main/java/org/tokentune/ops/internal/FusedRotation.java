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
    FloatBuffer x = Memory.floats(inputs.get(0));
    FloatBuffer cos = Memory.floats(inputs.get(1));
    FloatBuffer sin = Memory.floats(inputs.get(2));
    FloatBuffer y = Memory.floats(outputs.get(0));
    Rows rows = Rows.of(inputs.get(0).shape());
    int width = rows.width();
    int half = (int) inputs.get(1).size(1);
    float sign = back() ? -1 : 1;
    if (width % (2 * half) != 0 || cos.capacity() != rows.count() * half) {
      throw new IllegalArgumentException(
          "got angles for " + cos.capacity() / half + " rows, " + half + " each, but need " + rows);
    }
    try {
      rows.forEachChunk(
          (chunk, from, to) -> {
            float[] row = Scratch.get().floats(0, width);
            float[] other = Scratch.get().floats(1, width);
            float[] cosines = Scratch.get().floats(2, width);
            float[] sines = Scratch.get().floats(3, width);
            for (int r = from; r < to; r++) {
              x.get(r * width, row, 0, width);
              cos.get(r * half, cosines, 0, half);
              sin.get(r * half, sines, half, half);
              for (int i = 0; i < half; i++) {
                sines[half + i] *= sign;
                sines[i] = -sines[half + i];
              }
              // Copies every head and, next to it, its halves swapped, so that one loop covers a
              // whole row.
              for (int i = 0; i < width; i += 2 * half) {
                System.arraycopy(row, i, other, i + half, half);
                System.arraycopy(row, i + half, other, i, half);
                System.arraycopy(cosines, 0, cosines, i, half);
                System.arraycopy(cosines, 0, cosines, i + half, half);
                System.arraycopy(sines, 0, sines, i, 2 * half);
              }
              rotate(row, other, cosines, sines, width);
              y.put(r * width, row, 0, width);
            }
          });
    } finally {
      Reference.reachabilityFence(inputs);
      Reference.reachabilityFence(outputs);
    }
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

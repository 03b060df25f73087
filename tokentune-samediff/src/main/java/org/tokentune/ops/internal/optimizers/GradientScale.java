package org.tokentune.ops.internal.optimizers;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.Rows;
import org.tokentune.ops.internal.kernels.Scratch;
import org.tokentune.ops.internal.kernels.Sums;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Operations for gradient clipping: the sum of squares, and scaling.
 *
 * <p>Native form: ND4J's norm and multiplication. Fused form: one pass.
 */
public final class GradientScale {

  private GradientScale() {}

  /**
   * The sum of squares, independent of the number of threads.
   *
   * @param gradient dense FLOAT, or DOUBLE, which takes the native form
   */
  public static double squares(INDArray gradient) {
    if (!fused(gradient)) {
      double norm = gradient.norm2Number().doubleValue();
      return norm * norm;
    }
    FloatBuffer memory = Memory.floats(gradient);
    int total = memory.capacity();
    double[] squares = new double[(total + Tiles.LENGTH - 1) / Tiles.LENGTH];
    try {
      new Rows(squares.length, Tiles.LENGTH)
          .forEachChunk(
              (chunk, from, to) -> {
                float[] tile = Scratch.get().floats(0, Tiles.LENGTH);
                for (int t = from; t < to; t++) {
                  int start = t * Tiles.LENGTH;
                  int length = Math.min(Tiles.LENGTH, total - start);
                  memory.get(start, tile, 0, length);
                  squares[t] = Sums.products(tile, tile, 0, length);
                }
              });
    } finally {
      Reference.reachabilityFence(gradient);
    }
    return Arrays.stream(squares).sum();
  }

  /** Scales a gradient in place. */
  public static void multiply(INDArray gradient, double factor) {
    if (!fused(gradient)) {
      gradient.muli(factor);
      return;
    }
    float scale = (float) factor;
    Tiles.run(
        List.of(gradient),
        List.of(gradient),
        (tile, length) -> {
          System.arraycopy(tile[0], 0, tile[1], 0, length);
          Tiles.multiply(tile[1], scale, length);
        });
  }

  private static boolean fused(INDArray gradient) {
    return KernelMode.preferred() == KernelMode.FUSED && gradient.dataType() == DataType.FLOAT;
  }
}

package org.tokentune.ops.internal.optimizers;

import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.kernels.RowKernel;
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
    RowKernel kernel = RowKernel.tiles(Tiles.LENGTH, gradient.length()).read(gradient);
    double[] squares = new double[kernel.rows().count()];
    kernel.run(
        (arrays, tile, length) -> squares[tile] = Sums.products(arrays[0], arrays[0], 0, length));
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

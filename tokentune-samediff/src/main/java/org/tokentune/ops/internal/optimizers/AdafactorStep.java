package org.tokentune.ops.internal.optimizers;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.kernels.ColumnSums;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Sums;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Adafactor's optimizer step with a given learning rate (Shazeer and Stern, 2018), as transformers'
 * {@code Adafactor} computes it with {@code relative_step=False, scale_parameter=False}: at step t,
 * with {@code b = 1 - t^-0.8}, the second moment is {@code v = b v + (1 - b) (g^2 + 1e-30)} and the
 * update {@code u = g / sqrt(v)}, divided by its root mean square if that is above 1; {@code p =
 * keep * p - rate * u}.
 *
 * <p>For a matrix, only the means of v over rows and over columns are stored: {@code v_ij = row_i
 * column_j / mean(row)}.
 *
 * <p>Native form: compositions. Fused form: one pass for the means and one for the optimizer step.
 */
public final class AdafactorStep {

  private static final double EPSILON = 1e-30;

  private AdafactorStep() {}

  /**
   * Changes a matrix and its second moment in place, and overwrites the gradient.
   *
   * @param parameter FLOAT [n, m], or DOUBLE, which takes the native form
   * @param gradient shape and type of the parameter
   * @param rows [n], initially 0
   * @param columns [m], initially 0
   * @param keep factor of the parameter: 1 without weight decay
   * @param add share of the new squares: at step t usually {@code t^-0.8}
   */
  public static void factored(
      INDArray parameter,
      INDArray gradient,
      INDArray rows,
      INDArray columns,
      double keep,
      double rate,
      double add) {
    if (KernelMode.preferred() == KernelMode.FUSED && parameter.dataType() == DataType.FLOAT) {
      new Factors(gradient, rows, columns).divide((float) add);
    } else {
      INDArray squares = gradient.mul(gradient).addi(EPSILON);
      rows.muli(1 - add).addi(squares.mean(1).muli(add));
      columns.muli(1 - add).addi(squares.mean(0).muli(add));
      INDArray byRow = Transforms.sqrt(rows.div(rows.meanNumber()), false);
      gradient.diviColumnVector(byRow).diviRowVector(Transforms.sqrt(columns, true));
    }
    move(parameter, gradient, keep, rate);
  }

  /**
   * The same for a parameter whose second moment is not factored.
   *
   * @param square shape and type of the parameter, initially 0
   * @param add share of the new squares
   */
  public static void whole(
      INDArray parameter,
      INDArray gradient,
      INDArray square,
      double keep,
      double rate,
      double add) {
    if (KernelMode.preferred() == KernelMode.FUSED && parameter.dataType() == DataType.FLOAT) {
      float kept = (float) (1 - add);
      float added = (float) add;
      Tiles.run(
          List.of(gradient, square),
          List.of(gradient, square),
          (tile, length) -> divide(tile[0], tile[1], tile[2], tile[3], kept, added, length));
    } else {
      square.muli(1 - add).addi(gradient.mul(gradient).addi(EPSILON).muli(add));
      gradient.divi(Transforms.sqrt(square, true));
    }
    move(parameter, gradient, keep, rate);
  }

  private static void divide(
      float[] g,
      float[] square,
      float[] update,
      float[] newSquare,
      float keep,
      float add,
      int length) {
    for (int i = 0; i < length; i++) {
      newSquare[i] = keep * square[i] + add * (g[i] * g[i] + (float) EPSILON);
      update[i] = g[i] / (float) Math.sqrt(newSquare[i]);
    }
  }

  private static void move(INDArray parameter, INDArray update, double keep, double rate) {
    double meanSquareRoot =
        update.norm2Number().doubleValue() / Math.sqrt((double) update.length());
    SgdStep.run(parameter, keep, update, rate / Math.max(1, meanSquareRoot));
  }

  /** Kernels for a matrix. */
  private record Factors(INDArray gradient, INDArray rowMeans, INDArray columnMeans) {

    /** Adds the gradient to the means and divides it by the root of the second moment. */
    void divide(float add) {
      addSquares(add);
      float[] byRow = Memory.floatValues(rowMeans);
      float[] factors = Memory.floatValues(columnMeans);
      for (int i = 0; i < factors.length; i++) {
        factors[i] = (float) (1 / Math.sqrt(factors[i]));
      }
      double mean = mean(byRow);
      RowKernel.over(gradient)
          .update(gradient, gradient)
          .run(
              (arrays, row, width) -> {
                Tiles.multiply(arrays[0], factors, width);
                Tiles.multiply(arrays[0], (float) Math.sqrt(mean / byRow[row]), width);
              });
    }

    private void addSquares(float add) {
      RowKernel kernel = RowKernel.over(gradient);
      FloatBuffer byRow = kernel.floats(rowMeans);
      FloatBuffer byColumn = kernel.floats(columnMeans);
      float[] before = Memory.floatValues(columnMeans);
      kernel
          .read(gradient)
          .sum(columnMeans)
          .run(
              (arrays, row, width) -> {
                float[] g = arrays[0];
                ColumnSums.addProducts(g, g, arrays[1], width);
                float mean = Sums.products(g, g, 0, width) / width + (float) EPSILON;
                byRow.put(row, (1 - add) * byRow.get(row) + add * mean);
              });
      try {
        for (int i = 0; i < before.length; i++) {
          float mean = byColumn.get(i) / kernel.rows().count() + (float) EPSILON;
          byColumn.put(i, (1 - add) * before[i] + add * mean);
        }
      } finally {
        Reference.reachabilityFence(columnMeans);
      }
    }

    private static double mean(float[] values) {
      double sum = 0;
      for (float value : values) {
        sum += value;
      }
      return sum / values.length;
    }
  }
}

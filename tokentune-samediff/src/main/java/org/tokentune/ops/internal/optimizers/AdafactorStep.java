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
import org.tokentune.ops.internal.kernels.Rows;
import org.tokentune.ops.internal.kernels.Scratch;
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
   * @param step 1 at the first step
   */
  public static void factored(
      INDArray parameter,
      INDArray gradient,
      INDArray rows,
      INDArray columns,
      double keep,
      double rate,
      int step) {
    double add = Math.pow(step, -0.8);
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
   */
  public static void whole(
      INDArray parameter, INDArray gradient, INDArray square, double keep, double rate, int step) {
    double add = Math.pow(step, -0.8);
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
      Rows rows = Rows.of(gradient.shape());
      FloatBuffer g = Memory.floats(gradient);
      FloatBuffer byRow = Memory.floats(rowMeans);
      FloatBuffer byColumn = Memory.floats(columnMeans);
      try {
        takeIn(rows, g, byRow, byColumn, add);
        float[] factors = new float[rows.width()];
        byColumn.get(0, factors);
        for (int i = 0; i < factors.length; i++) {
          factors[i] = (float) (1 / Math.sqrt(factors[i]));
        }
        divide(rows, g, byRow, mean(byRow), factors);
      } finally {
        Reference.reachabilityFence(this);
      }
    }

    private static void takeIn(
        Rows rows, FloatBuffer g, FloatBuffer byRow, FloatBuffer byColumn, float add) {
      int width = rows.width();
      ColumnSums sums = new ColumnSums(rows);
      rows.forEachChunk(
          (chunk, from, to) -> {
            float[] sum = sums.ofChunk(chunk);
            float[] row = Scratch.get().floats(0, width);
            for (int r = from; r < to; r++) {
              g.get(r * width, row, 0, width);
              ColumnSums.addProducts(row, row, sum, width);
              float mean = Sums.products(row, row, 0, width) / width + (float) EPSILON;
              byRow.put(r, (1 - add) * byRow.get(r) + add * mean);
            }
          });
      float[] before = new float[width];
      byColumn.get(0, before);
      sums.total(byColumn);
      for (int i = 0; i < width; i++) {
        float mean = byColumn.get(i) / rows.count() + (float) EPSILON;
        byColumn.put(i, (1 - add) * before[i] + add * mean);
      }
    }

    private static double mean(FloatBuffer values) {
      double sum = 0;
      for (int i = 0; i < values.capacity(); i++) {
        sum += values.get(i);
      }
      return sum / values.capacity();
    }

    private static void divide(
        Rows rows, FloatBuffer g, FloatBuffer byRow, double mean, float[] factors) {
      int width = rows.width();
      rows.forEachChunk(
          (chunk, from, to) -> {
            float[] row = Scratch.get().floats(0, width);
            for (int r = from; r < to; r++) {
              g.get(r * width, row, 0, width);
              Tiles.multiply(row, factors, width);
              Tiles.multiply(row, (float) Math.sqrt(mean / byRow.get(r)), width);
              g.put(r * width, row, 0, width);
            }
          });
    }
  }
}

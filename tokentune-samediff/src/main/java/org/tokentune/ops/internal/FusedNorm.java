package org.tokentune.ops.internal;

import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ColumnSums;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Sums;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Normalises rows to mean 0 (if centred) and mean square 1, the first half of {@code LayerNormOps}
 * and {@code RmsNormOps}: (x [n, h]) or (x [n, h], residual [n, h]) to (rows [n, h], inverse
 * deviation [n]), where {@code rows = (x + residual - mean) * inverse} and {@code inverse = 1 /
 * sqrt(mean square of (x + residual - mean) + epsilon)}. The rows are computed in place of {@code
 * x}.
 *
 * <p>The gradient, {@link FusedNormGrad}, reads only the outputs: {@code x} need not be stored.
 */
public final class FusedNorm extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code LayerNormOps.apply}. */
  public FusedNorm() {}

  private FusedNorm(SameDiff sd, double epsilon, boolean centred, SDVariable... inputs) {
    super(sd, inputs);
    addTArgument(epsilon);
    addIArgument(centred ? 1 : 0);
  }

  /**
   * The normalised rows.
   *
   * @param residual added to {@code x} first, or null
   * @param centred whether the mean is subtracted
   */
  public static SDVariable rows(
      SDVariable x, SDVariable residual, double epsilon, boolean centred) {
    SameDiff sd = x.getSameDiff();
    FusedOp op =
        residual == null
            ? new FusedNorm(sd, epsilon, centred, x)
            : new FusedNorm(sd, epsilon, centred, x, residual);
    return op.outputVariables()[0];
  }

  @Override
  public String opName() {
    return "fused_normalise";
  }

  @Override
  public String resultName() {
    return "normalised rows";
  }

  @Override
  public int getNumOutputs() {
    return 2;
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0), new long[] {inputs.get(0)[0]});
  }

  @Override
  public int inPlaceOf(int output) {
    return output == 0 ? 0 : -1;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    boolean residual = inputs.size() > 1;
    boolean centred = getIArgument(0) == 1;
    double epsilon = getTArgument(0);
    RowKernel kernel = RowKernel.over(inputs.get(0)).update(inputs.get(0), outputs.get(0));
    if (residual) {
      kernel.read(inputs.get(1));
    }
    FloatBuffer inverses = kernel.floats(outputs.get(1));
    kernel.run(
        (arrays, row, width) -> {
          float[] x = arrays[0];
          if (residual) {
            ColumnSums.add(arrays[1], x, width);
          }
          if (centred) {
            Tiles.add(x, -Sums.sum(x, 0, width) / width, width);
          }
          double square = Sums.products(x, x, 0, width) / (double) width;
          float inverse = (float) (1 / Math.sqrt(square + epsilon));
          Tiles.multiply(x, inverse, width);
          inverses.put(row, inverse);
        });
  }

  /** {@code x} and the residual receive the same gradient. */
  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    SDVariable[] out = outputVariables();
    boolean centred = getIArgument(0) == 1;
    SDVariable dX =
        new FusedNormGrad(sameDiff, gradients.get(0), out[0], out[1], centred).outputVariable();
    return args().length == 1 ? List.of(dX) : List.of(dX, dX);
  }
}

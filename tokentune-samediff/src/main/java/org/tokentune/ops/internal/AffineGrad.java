package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ColumnSums;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Gradient of {@link Affine} in one pass: (dY [n, h], rows [n, h], gain [h]) to (dRows [n, h] in
 * place of dY, dGain [h]) and, if there is a bias, dBias [h]: {@code dRows = dY * gain}, {@code
 * dGain = sum of dY * rows}, {@code dBias = sum of dY} over the rows.
 */
public final class AffineGrad extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code LayerNormOps.apply}. */
  public AffineGrad() {}

  public AffineGrad(SameDiff sd, SDVariable dY, SDVariable rows, SDVariable gain, boolean biased) {
    super(sd, dY, rows, gain);
    addIArgument(biased ? 1 : 0);
  }

  @Override
  public String opName() {
    return "fused_affine_grad";
  }

  @Override
  public int getNumOutputs() {
    return biased() ? 3 : 2;
  }

  private boolean biased() {
    return getIArgument(0) == 1;
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] rows = inputs.get(0);
    long[] gain = inputs.get(2);
    return biased() ? List.of(rows, gain, gain) : List.of(rows, gain);
  }

  @Override
  public int inPlaceOf(int output) {
    return output == 0 ? 0 : -1;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    float[] gain = Memory.floatValues(inputs.get(2));
    RowKernel kernel =
        RowKernel.over(inputs.get(0))
            .update(inputs.get(0), outputs.get(0))
            .read(inputs.get(1))
            .sum(outputs.get(1));
    boolean biased = outputs.size() > 2;
    if (biased) {
      kernel.sum(outputs.get(2));
    }
    kernel.run(
        (arrays, row, width) -> {
          float[] dY = arrays[0];
          ColumnSums.addProducts(dY, arrays[1], arrays[2], width);
          if (biased) {
            ColumnSums.add(dY, arrays[3], width);
          }
          Tiles.multiply(dY, gain, width);
        });
  }
}

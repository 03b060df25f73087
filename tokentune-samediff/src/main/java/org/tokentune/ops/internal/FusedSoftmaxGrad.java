package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Sums;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Gradient of {@link FusedSoftmax} from its output: (weights, dWeights) to {@code dScores = scale *
 * weights * (dWeights - sum of dWeights * weights over the keys)}, in place of dWeights.
 */
public final class FusedSoftmaxGrad extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code MaskedSoftmax.apply}. */
  public FusedSoftmaxGrad() {}

  public FusedSoftmaxGrad(SameDiff sd, SDVariable weights, SDVariable dWeights, double scale) {
    super(sd, weights, dWeights);
    addTArgument(scale);
  }

  @Override
  public String opName() {
    return "fused_softmax_grad";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public int inPlaceOf(int output) {
    return 1;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    int keys = (int) inputs.get(0).size(-1);
    float scale = getTArgument(0).floatValue();
    int tileRows = Math.max(1, Tiles.LENGTH / keys);
    RowKernel.tiles(tileRows * keys, inputs.get(0).length())
        .read(inputs.get(0))
        .update(inputs.get(1), outputs.get(0))
        .run(
            (arrays, tile, length) -> {
              for (int row = 0; row < length; row += keys) {
                project(arrays[0], arrays[1], scale, row, row + keys);
              }
            });
  }

  private static void project(float[] w, float[] d, float scale, int from, int to) {
    float along = Sums.products(w, d, from, to);
    for (int i = from; i < to; i++) {
      d[i] = scale * w[i] * (d[i] - along);
    }
  }
}

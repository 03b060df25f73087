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
    FloatBuffer weights = Memory.floats(inputs.get(0));
    FloatBuffer dWeights = Memory.floats(inputs.get(1));
    FloatBuffer dScores = Memory.floats(outputs.get(0));
    Rows rows = Rows.of(inputs.get(0).shape());
    int keys = rows.width();
    float scale = getTArgument(0).floatValue();
    int tileRows = Math.max(1, Tiles.LENGTH / keys);
    try {
      rows.forEachChunk(
          (chunk, from, to) -> {
            float[] w = Scratch.get().floats(0, tileRows * keys);
            float[] d = Scratch.get().floats(1, tileRows * keys);
            for (int start = from; start < to; start += tileRows) {
              int length = Math.min(tileRows, to - start) * keys;
              weights.get(start * keys, w, 0, length);
              dWeights.get(start * keys, d, 0, length);
              for (int row = 0; row < length; row += keys) {
                project(w, d, scale, row, row + keys);
              }
              dScores.put(start * keys, d, 0, length);
            }
          });
    } finally {
      Reference.reachabilityFence(inputs);
      Reference.reachabilityFence(outputs);
    }
  }

  private static void project(float[] w, float[] d, float scale, int from, int to) {
    float along = Sums.products(w, d, from, to);
    for (int i = from; i < to; i++) {
      d[i] = scale * w[i] * (d[i] - along);
    }
  }
}

package org.tokentune.ops.internal;

import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Exp;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Scratch;
import org.tokentune.ops.internal.kernels.Scratch.Slot;
import org.tokentune.ops.internal.kernels.Sums;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * {@code MaskedSoftmax} as one node: (scores [batch, heads, queries, keys], bias [batch, 1, 1 or
 * queries, keys]) to weights in the shape of the scores, in place.
 */
public final class FusedSoftmax extends FusedOp {

  // The quotients of exponentials do not depend on what is subtracted from all scores of a row.
  // While their sum is within these bounds, it need not be the greatest score: nothing was clipped,
  // and anything too small for a float (below 1e-38) is far below the sum's precision.
  private static final float HIGHEST = 88f;
  private static final float MAX_SUM = 0x1p50f;
  private static final float MIN_SUM = 0x1p-50f;

  /** For SameDiff, which creates ops by reflection; use {@code MaskedSoftmax.apply}. */
  public FusedSoftmax() {}

  public FusedSoftmax(SameDiff sd, SDVariable scores, double scale, SDVariable bias) {
    super(sd, scores, bias);
    addTArgument(scale);
  }

  @Override
  public String opName() {
    return "fused_softmax";
  }

  @Override
  public String resultName() {
    return "attention weights";
  }

  @Override
  public Recomputation recomputation() {
    return Recomputation.ATTENTION_WEIGHTS;
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public int inPlaceOf(int output) {
    return 0;
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    long[] shape = inputs.get(0).shape();
    int keys = (int) shape[3];
    int queries = (int) shape[2];
    int rowsOfSequence = (int) (shape[1] * shape[2]);
    boolean ofQuery = inputs.get(1).size(2) > 1;
    float scale = getTArgument(0).floatValue();
    int tileRows = Math.max(1, Tiles.LENGTH / keys);
    RowKernel kernel =
        RowKernel.tiles(tileRows * keys, inputs.get(0).length())
            .update(inputs.get(0), outputs.get(0))
            .temporary(tileRows * keys);
    FloatBuffer scores = kernel.floats(inputs.get(0));
    FloatBuffer biases = kernel.floats(inputs.get(1));
    kernel.run(
        (arrays, index, length) -> {
          float[] tile = arrays[0];
          float[] bias = arrays[1];
          int start = index * tileRows;
          for (int r = 0; r < length / keys; r++) {
            int sequence = (start + r) / rowsOfSequence;
            int row = ofQuery ? sequence * queries + (start + r) % queries : sequence;
            biases.get(row * keys, bias, r * keys, keys);
          }
          exp(tile, bias, scale, length);
          for (int at = 0; at < length; at += keys) {
            float sum = Sums.sum(tile, at, at + keys);
            if (!(sum >= MIN_SUM && sum <= MAX_SUM)) {
              scores.get(start * keys + at, tile, at, keys);
              sum = expBelowGreatest(tile, bias, scale, at, at + keys);
            }
            Tiles.multiply(tile, 1 / sum, at, at + keys);
          }
        });
  }

  /** The exponentials of a tile's scores without subtraction, clipped at {@link #HIGHEST}. */
  private static void exp(float[] tile, float[] bias, float scale, int length) {
    for (int i = 0; i < length; i++) {
      tile[i] = Math.min(HIGHEST, tile[i] * scale + bias[i]);
    }
    Exp.inPlace(tile, length);
  }

  /** The exponentials of a row's scores minus their maximum; returns the sum. */
  private static float expBelowGreatest(float[] tile, float[] bias, float scale, int from, int to) {
    float[] row = Scratch.get().floats(Slot.TILE, to - from);
    for (int i = from; i < to; i++) {
      row[i - from] = tile[i] * scale + bias[i];
    }
    Tiles.add(row, -Sums.max(row, 0, to - from), to - from);
    Exp.inPlace(row, to - from);
    System.arraycopy(row, 0, tile, from, to - from);
    return Sums.sum(tile, from, to);
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    double scale = getTArgument(0);
    return List.of(
        new FusedSoftmaxGrad(sameDiff, outputVariable(), gradients.get(0), scale).outputVariable());
  }
}

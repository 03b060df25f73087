package org.tokentune.ops.internal;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ColumnSums;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.Rows;
import org.tokentune.ops.internal.kernels.Scratch;
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
    FloatBuffer dY = Memory.floats(inputs.get(0));
    FloatBuffer values = Memory.floats(inputs.get(1));
    FloatBuffer dRows = Memory.floats(outputs.get(0));
    Rows rows = Rows.of(inputs.get(0).shape());
    int width = rows.width();
    float[] gain = Memory.floatValues(inputs.get(2));
    ColumnSums gains = new ColumnSums(rows);
    ColumnSums biases = new ColumnSums(rows);
    try {
      rows.forEachChunk(
          (chunk, from, to) -> {
            float[] d = Scratch.get().floats(0, width);
            float[] row = Scratch.get().floats(1, width);
            float[] dGain = gains.ofChunk(chunk);
            float[] dBias = biases.ofChunk(chunk);
            for (int r = from; r < to; r++) {
              dY.get(r * width, d, 0, width);
              values.get(r * width, row, 0, width);
              ColumnSums.addProducts(d, row, dGain, width);
              ColumnSums.add(d, dBias, width);
              Tiles.multiply(d, gain, width);
              dRows.put(r * width, d, 0, width);
            }
          });
      gains.total(Memory.floats(outputs.get(1)));
      if (outputs.size() > 2) {
        biases.total(Memory.floats(outputs.get(2)));
      }
    } finally {
      Reference.reachabilityFence(inputs);
      Reference.reachabilityFence(outputs);
    }
  }
}

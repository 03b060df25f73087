package org.tokentune.ops.internal;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.CrossEntropyRows;
import org.tokentune.ops.internal.kernels.Exp;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Gradient of a slice's logits: (logits [n, words], labels [n] INT32, output of {@link
 * FusedSlicedLossGrad} [n, 3]) to dLogits in place of the logits: {@code factor_i * (exp(logits_i -
 * greatest_i) / sum_i - [1 at the label])}, 0 in rows without a label.
 */
public final class FusedSliceGrad extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code VocabularyLoss}. */
  public FusedSliceGrad() {}

  public FusedSliceGrad(
      SameDiff sd, SDVariable logits, SDVariable labels, SDVariable sums, int first) {
    super(sd, logits, labels, sums);
    addIArgument(first);
  }

  @Override
  public String opName() {
    return "fused_slice_grad";
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
    RowKernel kernel = RowKernel.over(inputs.get(0));
    FloatBuffer logits = kernel.floats(inputs.get(0));
    int[] labels = Memory.intValues(inputs.get(1));
    FloatBuffer sums = kernel.floats(inputs.get(2));
    FloatBuffer dLogits = kernel.floats(outputs.get(0));
    int first = getIArgument(0).intValue();
    kernel
        .temporary(Tiles.LENGTH)
        .run(
            (arrays, row, width) -> {
              float[] tile = arrays[0];
              boolean counts = labels[row] != CrossEntropyRows.IGNORED;
              float factor = counts ? sums.get(3 * row + 2) : 0;
              float scale = counts ? factor / sums.get(3 * row + 1) : 0;
              for (int i = 0; i < width; i += Tiles.LENGTH) {
                int length = Math.min(Tiles.LENGTH, width - i);
                if (counts) {
                  logits.get(row * width + i, tile, 0, length);
                  Tiles.add(tile, -sums.get(3 * row), length);
                  Exp.inPlace(tile, length);
                  Tiles.multiply(tile, scale, length);
                } else {
                  Arrays.fill(tile, 0, length, 0);
                }
                dLogits.put(row * width + i, tile, 0, length);
              }
              int label = labels[row] - first;
              if (counts && label >= 0 && label < width) {
                dLogits.put(row * width + label, dLogits.get(row * width + label) - factor);
              }
            });
  }
}

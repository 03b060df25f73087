package org.tokentune.ops.internal;

import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.CrossEntropyRows;
import org.tokentune.ops.internal.kernels.Exp;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Scratch;
import org.tokentune.ops.internal.kernels.Scratch.Slot;
import org.tokentune.ops.internal.kernels.Sums;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Gradient of {@link FusedCrossEntropy}: (logits [n, c], labels [n], log sum exp [n], dLoss []) and
 * optionally class weights [c], to dLogits in place of the logits: {@code dLoss * w_i / sum w *
 * (exp(logits_i - log sum exp_i) - [1 at the label])}, 0 in ignored rows; with label smoothing, the
 * label is spread.
 */
public final class FusedCrossEntropyGrad extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code Losses.softmaxCrossEntropy}. */
  public FusedCrossEntropyGrad() {}

  public FusedCrossEntropyGrad(SameDiff sd, double smoothing, SDVariable... inputs) {
    super(sd, inputs);
    addTArgument(smoothing);
  }

  @Override
  public String opName() {
    return "fused_cross_entropy_grad";
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
    FloatBuffer logSums = kernel.floats(inputs.get(2));
    FloatBuffer dLogits = kernel.floats(outputs.get(0));
    CrossEntropyRows labelled =
        new CrossEntropyRows(
            inputs.get(1),
            inputs.subList(4, inputs.size()),
            kernel.rows().width(),
            getTArgument(0));
    float dLoss = Memory.floatValues(inputs.get(3))[0];
    kernel.run(
        (arrays, row, width) -> {
          if (labelled.counts(row)) {
            float whole = (float) ((labelled.share(row) + labelled.spread()) * dLoss);
            scaledSoftmax(logits, dLogits, row * width, width, logSums.get(row), whole);
            if (labelled.smooths()) {
              subtractSmoothed(labelled, dLogits, row, width, dLoss);
            } else {
              int label = row * width + labelled.label(row);
              dLogits.put(label, dLogits.get(label) - whole);
            }
          } else {
            zero(dLogits, row * width, width);
          }
        });
  }

  /**
   * The exponentials, renormalised to sum to 1: the log sum exp is a float, whose rounding error
   * would be as large as the gradient of a confident row.
   */
  private static void scaledSoftmax(
      FloatBuffer from, FloatBuffer to, int start, int width, float logSum, float factor) {
    float[] tile = Scratch.get().floats(Slot.TILE, Tiles.LENGTH);
    double sum = 0;
    for (int i = 0; i < width; i += Tiles.LENGTH) {
      int length = Math.min(Tiles.LENGTH, width - i);
      from.get(start + i, tile, 0, length);
      Tiles.add(tile, -logSum, length);
      Exp.inPlace(tile, length);
      sum += Sums.sum(tile, 0, length);
      to.put(start + i, tile, 0, length);
    }
    for (int i = 0; i < width; i += Tiles.LENGTH) {
      int length = Math.min(Tiles.LENGTH, width - i);
      to.get(start + i, tile, 0, length);
      Tiles.multiply(tile, (float) (factor / sum), length);
      to.put(start + i, tile, 0, length);
    }
  }

  /** Subtracts a label that is spread over the classes. */
  private static void subtractSmoothed(
      CrossEntropyRows labelled, FloatBuffer to, int row, int width, float dLoss) {
    for (int i = 0; i < width; i++) {
      double part = labelled.spread(i) + (i == labelled.label(row) ? labelled.share(row) : 0);
      int at = row * width + i;
      to.put(at, to.get(at) - (float) (part * dLoss));
    }
  }

  private static void zero(FloatBuffer to, int start, int width) {
    for (int i = 0; i < width; i++) {
      to.put(start + i, 0);
    }
  }
}

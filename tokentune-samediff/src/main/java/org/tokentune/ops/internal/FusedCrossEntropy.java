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
 * {@code Losses.softmaxCrossEntropy} as one node: (logits [n, c], labels [n] INT32) or (logits,
 * labels, class weights [c]) to (loss [], log sum exp [n]), with label smoothing. Ignored rows are
 * not read; their log sum exp is 0. An invalid label throws an {@link IllegalArgumentException}.
 */
public final class FusedCrossEntropy extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code Losses.softmaxCrossEntropy}. */
  public FusedCrossEntropy() {}

  public FusedCrossEntropy(SameDiff sd, double smoothing, SDVariable... inputs) {
    super(sd, inputs);
    addTArgument(smoothing);
  }

  @Override
  public String opName() {
    return "fused_cross_entropy";
  }

  @Override
  public int getNumOutputs() {
    return 2;
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[0], new long[] {inputs.get(0)[0]});
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    RowKernel kernel = RowKernel.over(inputs.get(0));
    FloatBuffer logits = kernel.floats(inputs.get(0));
    FloatBuffer logSums = kernel.floats(outputs.get(1));
    int width = kernel.rows().width();
    CrossEntropyRows labelled =
        new CrossEntropyRows(
            inputs.get(1), inputs.subList(2, inputs.size()), width, getTArgument(0));
    double[] losses = new double[kernel.rows().chunks()];
    kernel.forEachChunk(
        (chunk, from, to) -> {
          for (int r = from; r < to; r++) {
            if (labelled.counts(r)) {
              double logSum = logSumExp(logits, r * width, width);
              logSums.put(r, (float) logSum);
              float chosen = logits.get(r * width + labelled.label(r));
              losses[chunk] += labelled.share(r) * (logSum - chosen);
              if (labelled.smooths()) {
                losses[chunk] +=
                    labelled.spread() * logSum - spread(labelled, logits, r * width, width);
              }
            } else {
              logSums.put(r, 0);
            }
          }
        });
    double loss = 0;
    for (double part : losses) {
      loss += part;
    }
    Memory.setScalar(outputs.get(0), (float) loss);
  }

  /** The logits of a row, each by its part of the smoothing. */
  private static double spread(
      CrossEntropyRows labelled, FloatBuffer logits, int start, int width) {
    double sum = 0;
    for (int i = 0; i < width; i++) {
      sum += labelled.spread(i) * logits.get(start + i);
    }
    return sum;
  }

  /** Log sum exp of a row, in tiles: rows over a vocabulary do not fit the cache. */
  private static double logSumExp(FloatBuffer logits, int start, int width) {
    float greatest = greatest(logits, start, width, Float.NEGATIVE_INFINITY);
    return greatest + Math.log(sumExp(logits, start, width, greatest));
  }

  /** The maximum of a row and {@code least}. */
  static float greatest(FloatBuffer logits, int start, int width, float least) {
    float[] tile = Scratch.get().floats(Slot.TILE, Tiles.LENGTH);
    float greatest = least;
    for (int i = 0; i < width; i += Tiles.LENGTH) {
      int length = Math.min(Tiles.LENGTH, width - i);
      logits.get(start + i, tile, 0, length);
      greatest = Math.max(greatest, Sums.max(tile, 0, length));
    }
    return greatest;
  }

  /** {@code sum(exp(logit - greatest))} over a row. */
  static double sumExp(FloatBuffer logits, int start, int width, float greatest) {
    float[] tile = Scratch.get().floats(Slot.TILE, Tiles.LENGTH);
    double sum = 0;
    for (int i = 0; i < width; i += Tiles.LENGTH) {
      int length = Math.min(Tiles.LENGTH, width - i);
      logits.get(start + i, tile, 0, length);
      Tiles.add(tile, -greatest, length);
      Exp.inPlace(tile, length);
      sum += Sums.sum(tile, 0, length);
    }
    return sum;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    SDVariable dLoss = gradients.get(0);
    SDVariable logSums = outputVariables()[1];
    SDVariable[] inputs =
        args().length == 2
            ? new SDVariable[] {arg(0), arg(1), logSums, dLoss}
            : new SDVariable[] {arg(0), arg(1), logSums, dLoss, arg(2)};
    return List.of(new FusedCrossEntropyGrad(sameDiff, getTArgument(0), inputs).outputVariable());
  }
}

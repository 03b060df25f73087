package org.tokentune.ops.internal;

import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.DropoutMask;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Rows;
import org.tokentune.ops.internal.kernels.Scratch;
import org.tokentune.ops.internal.kernels.Scratch.Slot;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * {@code Dropout} as one node: (x, row numbers, column numbers, seed) to x times the mask, in
 * place. The mask is recomputed from the coordinates, forward and backward, and never stored. It is
 * bit-identical to that of the native form.
 *
 * <p>Shapes: x [..., columns]; row numbers [..., 1], one for every row of x; column numbers [b or
 * 1, 1, ..., columns], b being the first dimension of x; seed a scalar. Numbers are INT32. Too few
 * or too many of them throw an {@link IllegalArgumentException}.
 */
public final class FusedDropout extends ElementwiseOp {

  /** For SameDiff, which creates ops by reflection; use {@code Dropout.apply}. */
  public FusedDropout() {}

  public FusedDropout(
      SameDiff sd,
      SDVariable x,
      double rate,
      SDVariable rowNumbers,
      SDVariable columnNumbers,
      SDVariable seed,
      int place) {
    super(sd, x, rowNumbers, columnNumbers, seed);
    addTArgument(rate);
    addIArgument(place);
  }

  @Override
  public String opName() {
    return "fused_dropout";
  }

  @Override
  public String resultName() {
    return "results of dropout";
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    RowKernel kernel = RowKernel.over(inputs.get(0));
    FloatBuffer x = kernel.floats(inputs.get(0));
    FloatBuffer y = kernel.floats(outputs.get(0));
    Rows rows = kernel.rows();
    int seed = Memory.intValues(inputs.get(3))[0];
    int place = getIArgument(0).intValue();
    int[] rowKeys = Memory.intValues(inputs.get(1));
    int[] columnKeys = Memory.intValues(inputs.get(2));
    if (rowKeys.length != rows.count() || rows.count() * rows.width() % columnKeys.length != 0) {
      throw new IllegalArgumentException(
          rowKeys.length + " row and " + columnKeys.length + " column numbers for " + rows);
    }
    DropoutMask.keys(rowKeys, seed, place);
    DropoutMask.keys(columnKeys, seed, ~place);
    int rowsOfColumns = rows.count() / (columnKeys.length / rows.width());
    double rate = getTArgument(0);
    int threshold = DropoutMask.threshold(rate);
    int kept = Float.floatToRawIntBits((float) (1 / (1 - rate)));
    int width = rows.width();
    // Not by row: attention weights have many short ones, for which looking up arrays takes long.
    kernel.forEachChunk(
        (chunk, from, to) -> {
          Scratch scratch = Scratch.get();
          float[] row = scratch.floats(Slot.TILE, width);
          float[] mask = scratch.floats(Slot.SECOND_TILE, width);
          int[] columns = scratch.ints(Slot.TILE, width);
          int[] bits = scratch.ints(Slot.LEAF_1, width);
          for (int r = from; r < to; r++) {
            x.get(r * width, row, 0, width);
            // A copy, because a loop that begins at an offset is not vectorised.
            System.arraycopy(columnKeys, r / rowsOfColumns * width, columns, 0, width);
            DropoutMask.bits(rowKeys[r], columns, threshold, kept, bits, width);
            scratch.fromBits(bits, mask, width);
            Tiles.multiply(row, mask, width);
            y.put(r * width, row, 0, width);
          }
        });
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new FusedDropout(
                sameDiff,
                gradients.get(0),
                getTArgument(0),
                arg(1),
                arg(2),
                arg(3),
                getIArgument(0).intValue())
            .outputVariable());
  }
}

package org.tokentune.ops.internal;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.ColumnSums;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.RowKernel;
import org.tokentune.ops.internal.kernels.Rows;
import org.tokentune.ops.internal.kernels.Scratch;
import org.tokentune.ops.internal.kernels.Scratch.Slot;

/**
 * Gradient of {@code TokenGather}: (ids [m], dOut [m, ...], table [n, ...]) to dTable in the
 * table's shape: starting from 0, {@code dTable[ids[i]] += dOut[i]} in the order of i. Only the
 * table's shape is read. An id out of range throws an {@link IllegalArgumentException}.
 */
public final class ScatterRows extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code TokenGather.rows}. */
  public ScatterRows() {}

  public ScatterRows(SameDiff sd, SDVariable ids, SDVariable dOut, SDVariable table) {
    super(sd, ids, dOut, table);
  }

  @Override
  public String opName() {
    return "fused_scatter_rows";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(2));
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    int[] ids = Memory.intValues(inputs.get(0));
    int count = (int) outputs.get(0).size(0);
    for (int id : ids) {
      if (id < 0 || id >= count) {
        throw new IllegalArgumentException(
            "row " + id + " is not in a table of " + count + " rows");
      }
    }
    Rows rows = new Rows(count, (int) (outputs.get(0).length() / count));
    RowKernel kernel = RowKernel.of(rows);
    FloatBuffer dOut = kernel.floats(inputs.get(1));
    FloatBuffer dTable = kernel.floats(outputs.get(0));
    // Each chunk owns some rows of the table, so no two threads add to the same row.
    kernel.forEachChunk((chunk, from, to) -> scatter(ids, dOut, dTable, rows.width(), from, to));
  }

  private static void scatter(
      int[] ids, FloatBuffer dOut, FloatBuffer dTable, int width, int from, int to) {
    float[] sum = Scratch.get().floats(Slot.TILE, width);
    float[] row = Scratch.get().floats(Slot.SECOND_TILE, width);
    Arrays.fill(sum, 0, width, 0);
    for (int r = from; r < to; r++) {
      dTable.put(r * width, sum, 0, width);
    }
    for (int i = 0; i < ids.length; i++) {
      int id = ids[i];
      if (id >= from && id < to) {
        dTable.get(id * width, sum, 0, width);
        dOut.get(i * width, row, 0, width);
        ColumnSums.add(row, sum, width);
        dTable.put(id * width, sum, 0, width);
      }
    }
  }
}

package org.tokentune.ops.internal;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Memory;

/**
 * Splits a table [n, width] into slices of a fixed number of rows; the last may have fewer. In an
 * execution plan they are views. The gradient joins the slices' gradients.
 */
public final class FusedRowSlices extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code VocabularyLoss}. */
  public FusedRowSlices() {}

  public FusedRowSlices(SameDiff sd, SDVariable table, long count, int rows) {
    super(sd, table);
    addIArgument(rows, Math.toIntExact((count + rows - 1) / rows));
  }

  @Override
  public String opName() {
    return "fused_row_slices";
  }

  @Override
  public Aliasing aliasing() {
    return Aliasing.ROW_SLICES;
  }

  @Override
  public int getNumOutputs() {
    return getIArgument(1).intValue();
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long rows = getIArgument(0);
    long count = inputs.get(0)[0];
    List<long[]> shapes = new ArrayList<>();
    for (long from = 0; from < count; from += rows) {
      shapes.add(new long[] {Math.min(rows, count - from), inputs.get(0)[1]});
    }
    return shapes;
  }

  @Override
  public List<DataType> calculateOutputDataTypes(List<DataType> inputs) {
    return Collections.nCopies(getNumOutputs(), inputs.get(0));
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    FloatBuffer table = Memory.floats(inputs.get(0));
    try {
      for (INDArray output : outputs) {
        FloatBuffer slice = Memory.floats(output);
        slice.put(table.slice().limit(slice.capacity()));
        table.position(table.position() + slice.capacity());
      }
    } finally {
      Reference.reachabilityFence(inputs);
      Reference.reachabilityFence(outputs);
    }
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(sameDiff.concat(0, gradients.toArray(new SDVariable[0])));
  }
}

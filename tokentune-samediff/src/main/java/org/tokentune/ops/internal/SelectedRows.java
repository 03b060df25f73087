package org.tokentune.ops.internal;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.ops.internal.kernels.Workers;

/**
 * Gradient of {@link FusedJoinTokens}: (dY [b*L, h], positions [b, k]) to the first k rows of each
 * sequence, [b*k, h].
 */
public final class SelectedRows extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code JoinTokens.apply}. */
  public SelectedRows() {}

  public SelectedRows(SameDiff sd, SDVariable dY, SDVariable positions) {
    super(sd, dY, positions);
  }

  @Override
  public String opName() {
    return "fused_selected_rows";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] positions = inputs.get(1);
    return List.of(new long[] {positions[0] * positions[1], inputs.get(0)[1]});
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    FloatBuffer all = Memory.floats(inputs.get(0));
    FloatBuffer selected = Memory.floats(outputs.get(0));
    int batch = (int) inputs.get(1).size(0);
    int length = all.capacity() / batch;
    int selectedLength = selected.capacity() / batch;
    try {
      Workers.run(batch, b -> selected.put(b * selectedLength, all, b * length, selectedLength));
    } finally {
      Reference.reachabilityFence(inputs);
      Reference.reachabilityFence(outputs);
    }
  }
}

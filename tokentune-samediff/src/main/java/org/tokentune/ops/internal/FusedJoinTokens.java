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
 * {@code JoinTokens} as one node: (selected [b*k, h], frozen [b*(L-k), h], positions [b, k]) to
 * [b*L, h].
 */
public final class FusedJoinTokens extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code JoinTokens.apply}. */
  public FusedJoinTokens() {}

  public FusedJoinTokens(
      SameDiff sd, SDVariable selected, SDVariable frozen, SDVariable positions) {
    super(sd, selected, frozen, positions);
  }

  @Override
  public String opName() {
    return "fused_join_tokens";
  }

  @Override
  public String resultName() {
    return "keys and values of all tokens";
  }

  @Override
  public Recomputation recomputation() {
    return Recomputation.JOINED_TOKENS;
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0] + inputs.get(1)[0], inputs.get(0)[1]});
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    FloatBuffer selected = Memory.floats(inputs.get(0));
    FloatBuffer frozen = Memory.floats(inputs.get(1));
    FloatBuffer all = Memory.floats(outputs.get(0));
    int batch = (int) inputs.get(2).size(0);
    int selectedLength = selected.capacity() / batch;
    int frozenLength = frozen.capacity() / batch;
    try {
      Workers.run(
          batch,
          b -> {
            int start = b * (selectedLength + frozenLength);
            all.put(start, selected, b * selectedLength, selectedLength);
            all.put(start + selectedLength, frozen, b * frozenLength, frozenLength);
          });
    } finally {
      Reference.reachabilityFence(inputs);
      Reference.reachabilityFence(outputs);
    }
  }

  /** The frozen tokens have no gradient. */
  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new SelectedRows(sameDiff, gradients.get(0), arg(2)).outputVariable());
  }
}

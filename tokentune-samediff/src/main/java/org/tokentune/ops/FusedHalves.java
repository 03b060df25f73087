package org.tokentune.ops;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.quantization.BlockFormat;

/** Rounds FLOAT of any shape to {@code F16} or {@code BF16}, two packed into each FLOAT. */
public final class FusedHalves extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@link HalfOps}. */
  public FusedHalves() {}

  FusedHalves(BlockFormat format) {
    addIArgument(format.id);
  }

  @Override
  public String opName() {
    return "fused_halves";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(HalfOps.packed(inputs.get(0)));
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    BlockFormat format = BlockFormat.of(getIArgument(0).intValue()).orElseThrow();
    BlockRows.halve(format, inputs.get(0), outputs.get(0));
  }
}

package org.tokentune.ops.internal;

import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.BlockRows;
import org.tokentune.quantization.BlockFormat;

/** Rounds FLOAT of any shape to {@code F16} or {@code BF16}, two packed into each FLOAT. */
public final class FusedHalves extends FusedOp {

  /** For SameDiff, which creates ops by reflection. */
  public FusedHalves() {}

  public FusedHalves(BlockFormat format) {
    addIArgument(format.id);
  }

  /** Shape with two numbers per float. */
  public static long[] packed(long... shape) {
    return new long[] {(Arrays.stream(shape).reduce(1, (a, b) -> a * b) + 1) / 2};
  }

  @Override
  public String opName() {
    return "fused_halves";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(packed(inputs.get(0)));
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    BlockFormat format = BlockFormat.of(getIArgument(0).intValue()).orElseThrow();
    BlockRows.halve(format, inputs.get(0), outputs.get(0));
  }
}

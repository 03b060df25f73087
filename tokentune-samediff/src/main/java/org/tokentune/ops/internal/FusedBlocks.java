package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.BlockRows;
import org.tokentune.quantization.BlockFormat;

/**
 * Dequantises rows of blocks of a {@link BlockFormat}, UINT8 [n, bytes per row], to FLOAT [n,
 * width]. Without gradient: quantised weights are not trained.
 */
public final class FusedBlocks extends FusedOp {

  /** For SameDiff, which creates ops by reflection; use {@code BlockWeight}. */
  public FusedBlocks() {}

  public FusedBlocks(BlockFormat format) {
    addIArgument(format.id);
  }

  public FusedBlocks(SameDiff sd, BlockFormat format, SDVariable rows) {
    super(sd, rows);
    addIArgument(format.id);
  }

  BlockFormat format() {
    return BlockFormat.of(getIArgument(0).intValue()).orElseThrow();
  }

  @Override
  public String opName() {
    return "fused_blocks";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] rows = inputs.get(0);
    return List.of(new long[] {rows[0], rows[1] / format().bytes * format().elements});
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    BlockRows.decode(format(), inputs.get(0), outputs.get(0));
  }
}

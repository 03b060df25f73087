package org.tokentune.ops.internal;

import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.BfloatProducts;
import org.tokentune.ops.internal.kernels.BlockProducts;
import org.tokentune.ops.internal.kernels.Nf4Products;
import org.tokentune.ops.internal.kernels.VectorLoops;
import org.tokentune.ops.internal.kernels.VectorProducts;
import org.tokentune.quantization.BlockFormat;
import org.tokentune.quantization.Nf4;

/**
 * The product {@code x W^T} of a few rows, FLOAT [n, width], and a quantised weight [m, width] as
 * it lies in memory, whose arrays follow x: FLOAT [n, m].
 *
 * <p>Only an execution plan makes this op, of a matmul and the op that dequantises its weight; in
 * native kernel mode the graph has ND4J's ops instead of these.
 */
public final class FusedQuantizedMatmul extends FusedOp {

  private final FusedOp weight;
  private final long[] shape;

  /**
   * @param weight the op that dequantises the weight
   * @param shape of the weight
   */
  public FusedQuantizedMatmul(FusedOp weight, long[] shape) {
    this.weight = weight;
    this.shape = shape.clone();
  }

  /** Whether an op dequantises a weight of this shape that can be multiplied as it is. */
  public static boolean supports(FusedOp op, long[] shape) {
    if (op instanceof FusedBlocks blocks) {
      BlockFormat format = blocks.format();
      return VectorLoops.forFormat(format).isPresent()
          || BlockProducts.supports(format)
          || (format == BlockFormat.BF16 && shape[1] % 2 == 0);
    }
    return op instanceof FusedNf4 && shape[1] % Nf4.BLOCK == 0;
  }

  @Override
  public String opName() {
    return "fused_quantized_matmul";
  }

  @Override
  public String resultName() {
    return OpTraits.resultName(OpTraits.matmul(false, true));
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0], shape[0]});
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    INDArray x = inputs.get(0);
    INDArray y = outputs.get(0);
    if (weight instanceof FusedBlocks blocks) {
      multiply(blocks.format(), x, inputs.get(1), y);
    } else {
      Nf4Products.multiply(x, inputs.subList(1, 5).toArray(INDArray[]::new), y);
    }
  }

  private static void multiply(BlockFormat format, INDArray x, INDArray blocks, INDArray y) {
    Optional<VectorLoops> loops = VectorLoops.forFormat(format);
    if (loops.isPresent()) {
      VectorProducts.multiply(loops.get(), format, x, blocks, y);
    } else if (format == BlockFormat.BF16) {
      BfloatProducts.multiply(x, blocks, y);
    } else {
      BlockProducts.multiply(format, x, blocks, y);
    }
  }
}

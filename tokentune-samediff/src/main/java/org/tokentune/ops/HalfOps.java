package org.tokentune.ops;

import java.util.Arrays;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.graph.DType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.tokentune.quantization.BlockFormat;

/**
 * Ops between FLOAT and half precision. They stand in execution plans only, which put them between
 * an op and a later one that reads its result.
 *
 * <p>Native form: casts, which hold a HALF or BFLOAT16 array. Fused form: kernels that hold two
 * numbers in the bits of each FLOAT, so that what is held shares the floats' memory.
 *
 * @param format {@link BlockFormat#F16} or {@link BlockFormat#BF16}
 */
public record HalfOps(BlockFormat format, KernelMode kernelMode) {

  /** Type of what is held. */
  public DataType type() {
    if (kernelMode == KernelMode.FUSED) {
      return DataType.FLOAT;
    }
    return format == BlockFormat.BF16 ? DataType.BFLOAT16 : DataType.FLOAT16;
  }

  /** Shape of what is held of an array. */
  public long[] shape(long... shape) {
    return kernelMode == KernelMode.FUSED ? packed(shape) : shape;
  }

  /** Two to a float. */
  static long[] packed(long... shape) {
    return new long[] {(Arrays.stream(shape).reduce(1, (a, b) -> a * b) + 1) / 2};
  }

  /** Rounds to the nearest. */
  public DifferentialFunction round() {
    return kernelMode == KernelMode.FUSED ? new FusedHalves(format) : cast(type());
  }

  /** The floats again. */
  public DifferentialFunction restore() {
    return kernelMode == KernelMode.FUSED ? new FusedBlocks(format) : cast(DataType.FLOAT);
  }

  private static DifferentialFunction cast(DataType type) {
    int number =
        switch (type) {
          case BFLOAT16 -> DType.BFLOAT16;
          case HALF -> DType.HALF;
          default -> DType.FLOAT;
        };
    return DynamicCustomOp.builder("cast").addIntegerArguments(number).build();
  }
}

package org.tokentune.plan.internal;

import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.FusedBlocks;
import org.tokentune.ops.internal.FusedHalves;
import org.tokentune.ops.internal.OpTraits;
import org.tokentune.quantization.BlockFormat;

/**
 * Ops between FLOAT and half precision. Only execution plans use them, between an op and a later
 * reader of its result.
 *
 * <p>Native form: casts to a HALF or BFLOAT16 array. Fused form: kernels that pack two numbers into
 * each FLOAT, so that the stored array can share memory with floats.
 *
 * @param format {@link BlockFormat#F16} or {@link BlockFormat#BF16}
 */
record HalfOps(BlockFormat format, KernelMode kernelMode) {

  /** Data type of the stored array. */
  DataType type() {
    if (kernelMode == KernelMode.FUSED) {
      return DataType.FLOAT;
    }
    return format == BlockFormat.BF16 ? DataType.BFLOAT16 : DataType.FLOAT16;
  }

  /** Shape of the stored array. */
  long[] shape(long... shape) {
    return kernelMode == KernelMode.FUSED ? FusedHalves.packed(shape) : shape;
  }

  /** The op that rounds to nearest. */
  DifferentialFunction round() {
    return kernelMode == KernelMode.FUSED ? new FusedHalves(format) : OpTraits.cast(type());
  }

  /** The op that restores floats. */
  DifferentialFunction restore() {
    return kernelMode == KernelMode.FUSED ? new FusedBlocks(format) : OpTraits.cast(DataType.FLOAT);
  }
}

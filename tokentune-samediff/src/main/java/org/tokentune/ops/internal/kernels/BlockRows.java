package org.tokentune.ops.internal.kernels;

import java.nio.ByteBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Scratch.Slot;
import org.tokentune.quantization.BlockFormat;
import org.tokentune.quantization.HalfPrecision;

/** Kernels that convert between rows of floats and rows of blocks. */
public final class BlockRows {

  private BlockRows() {}

  /** Converts rows of blocks, bytes of any type, to FLOAT [n, width]. */
  public static void decode(BlockFormat format, INDArray blocks, INDArray floats) {
    RowKernel kernel = RowKernel.over(floats).write(floats);
    ByteBuffer in = kernel.bytes(blocks);
    int rowBytes = Math.toIntExact(format.rowBytes(kernel.rows().width()));
    kernel.run(
        (arrays, row, width) -> {
          byte[] bytes = Scratch.get().bytes(rowBytes);
          in.get(row * rowBytes, bytes, 0, rowBytes);
          decode(format, bytes, arrays[0], width);
        });
  }

  private static void decode(BlockFormat format, byte[] bytes, float[] values, int width) {
    if (format == BlockFormat.BF16) {
      int[] bits = Scratch.get().ints(Slot.LEAF_1, width);
      for (int i = 0; i < width; i++) {
        bits[i] = (bytes[2 * i] & 255) << 16 | bytes[2 * i + 1] << 24;
      }
      Scratch.get().fromBits(bits, values, width);
    } else {
      format.decode(bytes, values, width / format.elements);
    }
  }

  /**
   * Converts dense FLOAT [n, width] to half precision, 2 width bytes per row; rounds to nearest.
   */
  public static void halve(BlockFormat format, INDArray floats, INDArray blocks) {
    RowKernel kernel = RowKernel.over(floats).read(floats);
    ByteBuffer out = kernel.bytes(blocks);
    kernel.run(
        (arrays, row, width) -> {
          byte[] bytes = Scratch.get().bytes(2 * width);
          halve(format, arrays[0], bytes, width);
          out.put(row * 2 * width, bytes, 0, 2 * width);
        });
  }

  private static void halve(BlockFormat format, float[] values, byte[] bytes, int width) {
    for (int i = 0; i < width; i++) {
      short half =
          format == BlockFormat.BF16
              ? HalfPrecision.floatToBfloat(values[i])
              : HalfPrecision.floatToHalf(values[i]);
      bytes[2 * i] = (byte) half;
      bytes[2 * i + 1] = (byte) (half >> 8);
    }
  }
}

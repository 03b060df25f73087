package org.tokentune.ops.internal.kernels;

import java.nio.ByteBuffer;
import java.util.Optional;
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
    Optional<VectorLoops> loops = VectorLoops.forFormat(format);
    kernel.run(
        (arrays, row, width) -> {
          byte[] bytes = Scratch.get().bytes(rowBytes);
          in.get(row * rowBytes, bytes, 0, rowBytes);
          decode(format, loops, bytes, arrays[0], width);
        });
  }

  private static void decode(
      BlockFormat format, Optional<VectorLoops> loops, byte[] bytes, float[] values, int width) {
    if (loops.isPresent()) {
      loops.get().decode(format, bytes, values, width / format.elements);
    } else if (format == BlockFormat.BF16) {
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

  /**
   * Converts dense FLOAT [n, width], width a multiple of 32, to {@link BlockFormat#Q8_0}: the scale
   * of a block is its largest magnitude over 127, codes are rounded half away from zero. Source:
   * ggml's {@code quantize_row_q8_0_ref}.
   */
  public static void toInt8(INDArray floats, INDArray blocks) {
    RowKernel kernel = RowKernel.over(floats).read(floats);
    ByteBuffer out = kernel.bytes(blocks);
    int rowBytes = Math.toIntExact(BlockFormat.Q8_0.rowBytes(kernel.rows().width()));
    kernel.run(
        (arrays, row, width) -> {
          byte[] bytes = Scratch.get().bytes(rowBytes);
          int at = 0;
          for (int from = 0; from < width; from += BlockFormat.Q8_0.elements) {
            at = toInt8(arrays[0], from, bytes, at);
          }
          out.put(row * rowBytes, bytes, 0, rowBytes);
        });
  }

  private static int toInt8(float[] values, int from, byte[] bytes, int start) {
    float largest = 0;
    for (int i = from; i < from + BlockFormat.Q8_0.elements; i++) {
      largest = Math.max(largest, Math.abs(values[i]));
    }
    float scale = largest / 127;
    float inverse = scale == 0 ? 0 : 1 / scale;
    short half = HalfPrecision.floatToHalf(scale);
    int at = start;
    bytes[at++] = (byte) half;
    bytes[at++] = (byte) (half >> 8);
    for (int i = from; i < from + BlockFormat.Q8_0.elements; i++) {
      float code = values[i] * inverse;
      bytes[at++] = (byte) (int) (code + Math.copySign(0.5f, code));
    }
    return at;
  }
}

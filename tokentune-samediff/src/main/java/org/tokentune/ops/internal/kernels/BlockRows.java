package org.tokentune.ops.internal.kernels;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.quantization.BlockFormat;
import org.tokentune.quantization.HalfPrecision;

/** Kernels that convert between rows of floats and rows of blocks. */
public final class BlockRows {

  private BlockRows() {}

  /** Converts rows of blocks, bytes of any type, to FLOAT [n, width]. */
  public static void decode(BlockFormat format, INDArray blocks, INDArray floats) {
    ByteBuffer in = Memory.raw(blocks);
    FloatBuffer out = Memory.floats(floats);
    Rows rows = Rows.of(floats.shape());
    int width = rows.width();
    int rowBytes = Math.toIntExact(format.rowBytes(width));
    try {
      rows.forEachChunk(
          (chunk, from, to) -> {
            byte[] bytes = Scratch.get().bytes(rowBytes);
            float[] values = Scratch.get().floats(0, width);
            for (int row = from; row < to; row++) {
              in.get(row * rowBytes, bytes, 0, rowBytes);
              decode(format, bytes, values, width);
              out.put(row * width, values, 0, width);
            }
          });
    } finally {
      Reference.reachabilityFence(blocks);
      Reference.reachabilityFence(floats);
    }
  }

  private static void decode(BlockFormat format, byte[] bytes, float[] values, int width) {
    if (format == BlockFormat.BF16) {
      int[] bits = Scratch.get().ints(width);
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
    FloatBuffer in = Memory.floats(floats);
    ByteBuffer out = Memory.raw(blocks);
    Rows rows = Rows.of(floats.shape());
    int width = rows.width();
    try {
      rows.forEachChunk(
          (chunk, from, to) -> {
            byte[] bytes = Scratch.get().bytes(2 * width);
            float[] values = Scratch.get().floats(0, width);
            for (int row = from; row < to; row++) {
              in.get(row * width, values, 0, width);
              for (int i = 0; i < width; i++) {
                short half =
                    format == BlockFormat.BF16
                        ? HalfPrecision.floatToBfloat(values[i])
                        : HalfPrecision.floatToHalf(values[i]);
                bytes[2 * i] = (byte) half;
                bytes[2 * i + 1] = (byte) (half >> 8);
              }
              out.put(row * 2 * width, bytes, 0, 2 * width);
            }
          });
    } finally {
      Reference.reachabilityFence(floats);
      Reference.reachabilityFence(blocks);
    }
  }
}

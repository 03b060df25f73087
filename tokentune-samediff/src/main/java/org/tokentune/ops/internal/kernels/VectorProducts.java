package org.tokentune.ops.internal.kernels;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.quantization.BlockFormat;

/**
 * The product {@code y = x W^T} of a few rows and a weight in blocks by {@link VectorLoops}, whose
 * blocks are used as they are read.
 */
public final class VectorProducts {

  /** Elements of the weight that a thread takes at a time: about 10 microseconds. */
  private static final int CHUNK_ELEMENTS = 1 << 16;

  /** Bytes of the weight that are copied together, into the processor's first-level cache. */
  private static final int TILE_BYTES = 1 << 13;

  private final VectorLoops loops;
  private final BlockFormat format;
  private final int width;
  private final int rowBytes;
  private final float[] x;
  private final float[] sums;
  private final ByteBuffer in;
  private final FloatBuffer out;
  private final int outputs;

  private VectorProducts(
      VectorLoops loops, BlockFormat format, INDArray x, INDArray blocks, INDArray y) {
    this.loops = loops;
    this.format = format;
    width = Math.toIntExact(x.size(1));
    rowBytes = Math.toIntExact(format.rowBytes(width));
    this.x = Memory.floatValues(x);
    sums = new float[this.x.length / VectorLoops.GROUP];
    for (int group = 0; group < sums.length; group++) {
      int from = group * VectorLoops.GROUP;
      sums[group] = Sums.sum(this.x, from, from + VectorLoops.GROUP);
    }
    in = Memory.raw(blocks);
    out = Memory.floats(y);
    outputs = Math.toIntExact(y.size(1));
  }

  /**
   * Multiplies.
   *
   * @param x FLOAT [n, width]
   * @param blocks the weight's bytes, [m, bytes per row]
   * @param y FLOAT [n, m]
   */
  public static void multiply(
      VectorLoops loops, BlockFormat format, INDArray x, INDArray blocks, INDArray y) {
    try {
      VectorProducts products = new VectorProducts(loops, format, x, blocks, y);
      int rows = Math.max(1, CHUNK_ELEMENTS / products.width);
      int chunks = (products.outputs + rows - 1) / rows;
      Workers.run(
          chunks,
          chunk -> products.multiply(chunk * rows, Math.min(products.outputs, (chunk + 1) * rows)));
    } finally {
      Reference.reachabilityFence(blocks);
      Reference.reachabilityFence(y);
    }
  }

  /** The products with the weight's rows {@code start} to below {@code stop}. */
  private void multiply(int start, int stop) {
    int blocks = width / format.elements;
    int tile = Math.max(1, TILE_BYTES / rowBytes);
    byte[] bytes = Scratch.get().bytes(tile * rowBytes);
    for (int first = start; first < stop; first += tile) {
      int rows = Math.min(tile, stop - first);
      in.get(first * rowBytes, bytes, 0, rows * rowBytes);
      for (int row = 0; row < rows; row++) {
        for (int from = 0, to = first + row; from < x.length; from += width, to += outputs) {
          out.put(to, loops.product(format, bytes, row * rowBytes, x, sums, from, blocks));
        }
      }
    }
  }
}

package org.tokentune.ops.internal.kernels;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Scratch.Slot;

/**
 * The product {@code y = x W^T} of a few rows and a weight in bfloat16 as it lies in memory: an int
 * of two numbers becomes two floats, those of even and of odd elements.
 */
public final class BfloatProducts {

  /** Ints that are converted in one loop, so that it is long. */
  private static final int TILE_INTS = 2048;

  private static final int CHUNK_ELEMENTS = 1 << 16;

  private static final int UPPER = 0xffff0000;

  private final int half; // of the width
  private final int tile; // rows
  private final float[][] even;
  private final float[][] odd;
  private final IntBuffer in;
  private final FloatBuffer out;
  private final int outputs;

  private BfloatProducts(INDArray x, INDArray weight, INDArray y) {
    half = Math.toIntExact(x.size(1)) / 2;
    tile = Math.max(1, TILE_INTS / half);
    float[] values = Memory.floatValues(x);
    int rows = Math.toIntExact(x.size(0));
    even = new float[rows][tile * half];
    odd = new float[rows][tile * half];
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < tile * half; i++) {
        even[row][i] = values[2 * (row * half + i % half)];
        odd[row][i] = values[2 * (row * half + i % half) + 1];
      }
    }
    ByteBuffer bytes = Memory.raw(weight).order(ByteOrder.LITTLE_ENDIAN);
    in = bytes.asIntBuffer();
    out = Memory.floats(y);
    outputs = Math.toIntExact(y.size(1));
  }

  /**
   * Multiplies.
   *
   * @param x FLOAT [n, width], width even
   * @param weight the weight's bytes, [m, 2 width]
   * @param y FLOAT [n, m]
   */
  public static void multiply(INDArray x, INDArray weight, INDArray y) {
    try {
      BfloatProducts products = new BfloatProducts(x, weight, y);
      int rows = Math.max(products.tile, CHUNK_ELEMENTS / (2 * products.half));
      int chunks = (products.outputs + rows - 1) / rows;
      Workers.run(chunks, chunk -> products.multiply(chunk * rows, rows));
    } finally {
      Reference.reachabilityFence(weight);
      Reference.reachabilityFence(y);
    }
  }

  /** The products with the weight's rows from {@code start} on, {@code count} or fewer. */
  private void multiply(int start, int count) {
    int stop = Math.min(outputs, start + count);
    Scratch scratch = Scratch.get();
    int most = tile * half;
    int[] pairs = scratch.ints(Slot.TILE, most);
    float[] first = scratch.floats(Slot.TILE, most);
    float[] second = scratch.floats(Slot.SECOND_TILE, most);
    float[] products = scratch.floats(Slot.LEAF_1, most);
    int[] bits = scratch.ints(Slot.LEAF_1, most);
    for (int row = start; row < stop; row += tile) {
      int rows = Math.min(tile, stop - row);
      int length = rows * half;
      in.get(row * half, pairs, 0, length);
      lower(pairs, bits, length);
      scratch.fromBits(bits, first, length);
      upper(pairs, bits, length);
      scratch.fromBits(bits, second, length);
      for (int i = 0; i < even.length; i++) {
        multiply(products, first, even[i], second, odd[i], length);
        for (int j = 0; j < rows; j++) {
          out.put(i * outputs + row + j, Sums.sum(products, j * half, j * half + half));
        }
      }
    }
  }

  private static void lower(int[] pairs, int[] bits, int length) {
    for (int i = 0; i < length; i++) {
      bits[i] = pairs[i] << 16;
    }
  }

  private static void upper(int[] pairs, int[] bits, int length) {
    for (int i = 0; i < length; i++) {
      bits[i] = pairs[i] & UPPER;
    }
  }

  private static void multiply(
      float[] products, float[] a, float[] x, float[] b, float[] y, int length) {
    for (int i = 0; i < length; i++) {
      products[i] = a[i] * x[i] + b[i] * y[i];
    }
  }
}

package org.tokentune.ops.internal.kernels;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.kernels.Scratch.Slot;
import org.tokentune.quantization.BlockFormat;

/**
 * The product {@code y = x W^T} of a few rows and a weight in blocks, which are used as they are
 * read: no floats of the weight are made.
 *
 * <p>The rows of x become integers, multiples of a group's largest magnitude over 2^21 - 1, as
 * precise as sums of floats are: then products and their sums are exact in integers, and loops over
 * ints are vectorised, while conversions to floats are not.
 */
public final class BlockProducts {

  /** The largest integer of x: four products with codes of 8 bits add up to less than 2^31. */
  private static final int LARGEST = (1 << 21) - 1;

  /** Ints of codes that are multiplied in one loop, so that it is long. */
  private static final int TILE_INTS = 1024;

  private static final int CHUNK_ELEMENTS = 1 << 16;

  private final PackedCodes codes;
  private final int[] planeOf; // by group
  private final int[] starts;
  private final int[] lengths;
  private final int tile; // rows
  private final ByteBuffer bytes;
  private final IntBuffer[] views; // from byte 0 and from byte 2 on
  private final int rowBytes;
  private final FloatBuffer out;
  private final int outputs;

  private BlockProducts(BlockFormat format, int width, INDArray blocks, INDArray y) {
    codes = PackedCodes.of(format, width);
    planeOf = IntStream.range(0, codes.groups).map(codes::planeOf).toArray();
    starts = IntStream.range(0, codes.groups).map(codes::start).toArray();
    lengths = IntStream.range(0, codes.groups).map(codes::length).toArray();
    tile = Math.max(1, TILE_INTS / codes.ints);
    bytes = Memory.raw(blocks).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer fromSecond = bytes.slice(2, bytes.capacity() - 2).order(ByteOrder.LITTLE_ENDIAN);
    views = new IntBuffer[] {bytes.asIntBuffer(), fromSecond.asIntBuffer()};
    rowBytes = Math.toIntExact(format.rowBytes(width));
    out = Memory.floats(y);
    outputs = Math.toIntExact(y.size(1));
  }

  /** Whether weights of a format can be multiplied in this way. */
  public static boolean supports(BlockFormat format) {
    return PackedCodes.supports(format);
  }

  /**
   * Multiplies.
   *
   * @param x FLOAT [n, width]
   * @param blocks the weight's bytes, [m, bytes per row]
   * @param y FLOAT [n, m]
   */
  public static void multiply(BlockFormat format, INDArray x, INDArray blocks, INDArray y) {
    try {
      int width = Math.toIntExact(x.size(1));
      BlockProducts products = new BlockProducts(format, width, blocks, y);
      float[] values = Memory.floatValues(x);
      Factor[] factors = new Factor[Math.toIntExact(x.size(0))];
      for (int i = 0; i < factors.length; i++) {
        factors[i] = products.factor(values, i * width);
      }
      int rows = Math.max(products.tile, CHUNK_ELEMENTS / width);
      int chunks = (products.outputs + rows - 1) / rows;
      Workers.run(chunks, chunk -> products.multiply(factors, chunk * rows, rows));
    } finally {
      Reference.reachabilityFence(blocks);
      Reference.reachabilityFence(y);
    }
  }

  /**
   * A row of x.
   *
   * @param integers by plane, then by byte of an int: the factor of each code in a tile's rows
   * @param scales of the integers, by group
   * @param zeros what the codes' zero adds to the sum of products, by group
   * @param sums of the row's numbers, by group
   */
  private record Factor(int[][][] integers, float[] scales, long[] zeros, float[] sums) {}

  private Factor factor(float[] x, int from) {
    int[][][] integers = new int[codes.planes][4][tile * codes.ints];
    float[] scales = new float[codes.groups];
    long[] zeros = new long[codes.groups];
    float[] sums = new float[codes.groups];
    for (int group = 0; group < codes.groups; group++) {
      int first = from + group * codes.groupSize;
      float largest = 0;
      double sum = 0;
      for (int i = first; i < first + codes.groupSize; i++) {
        largest = Math.max(largest, Math.abs(x[i])); // NaN if one is
        sum += x[i];
      }
      sums[group] = (float) sum;
      if (largest == 0) {
        continue;
      }
      if (!(largest <= Float.MAX_VALUE)) {
        scales[group] = Float.NaN; // so are the products
        continue;
      }
      scales[group] = largest / LARGEST;
      double inverse = LARGEST / (double) largest;
      int[][] plane = integers[planeOf[group]];
      int at = codes.firstByte(group);
      long total = 0;
      for (int i = first; i < first + codes.groupSize; i++, at++) {
        int value = (int) Math.rint(x[i] * inverse);
        plane[at % 4][at / 4] = value;
        total += value;
      }
      zeros[group] = codes.zero * total;
    }
    for (int[][] plane : integers) {
      for (int[] of : plane) {
        for (int row = 1; row < tile; row++) {
          System.arraycopy(of, 0, of, row * codes.ints, codes.ints);
        }
      }
    }
    return new Factor(integers, scales, zeros, sums);
  }

  /** The products with the weight's rows from {@code start} on, {@code count} or fewer. */
  private void multiply(Factor[] factors, int start, int count) {
    int stop = Math.min(outputs, start + count);
    Scratch scratch = Scratch.get();
    int flipped = codes.flipped;
    int[] raw = scratch.ints(Slot.TILE, tile * codes.rawInts);
    int[][] read = new int[codes.planes][];
    for (int plane = 0; plane < codes.planes; plane++) {
      Slot slot = plane == 0 ? Slot.SECOND_TILE : Slot.LEAF_1;
      read[plane] = scratch.ints(slot, tile * codes.ints);
    }
    int[][] products = new int[codes.planes][];
    for (int plane = 0; plane < codes.planes; plane++) {
      Slot slot = plane == 0 ? Slot.LEAF_2 : Slot.GATE_SLOPE;
      products[plane] = scratch.ints(slot, tile * codes.ints);
    }
    float[] scales = scratch.floats(Slot.LEAF_1, tile * codes.groups);
    float[] minima = scratch.floats(Slot.LEAF_2, tile * codes.groups);
    Arrays.fill(minima, 0, tile * codes.groups, 0);
    for (int row = start; row < stop; row += tile) {
      int rows = Math.min(tile, stop - row);
      copy(row, rows, raw);
      codes.read(raw, rows, read, scales, minima);
      for (int i = 0; i < factors.length; i++) {
        Factor factor = factors[i];
        for (int plane = 0; plane < codes.planes; plane++) {
          int[][] of = factor.integers[plane];
          multiply(
              products[plane], read[plane], flipped, of[0], of[1], of[2], of[3], rows * codes.ints);
        }
        for (int j = 0; j < rows; j++) {
          out.put(i * outputs + row + j, total(factor, products, j, scales, minima));
        }
      }
    }
  }

  /** Copies rows' bytes as ints; rows begin at even bytes. */
  private void copy(int row, int rows, int[] raw) {
    int whole = rowBytes / 4;
    for (int i = 0; i < rows; i++) {
      int from = (row + i) * rowBytes;
      views[from % 4 / 2].get(from / 4, raw, i * codes.rawInts, whole);
      if (whole < codes.rawInts) {
        raw[i * codes.rawInts + whole] = bytes.getShort(from + 4 * whole) & 0xffff;
      }
    }
  }

  private static void multiply(
      int[] products,
      int[] codes,
      int flipped,
      int[] x0,
      int[] x1,
      int[] x2,
      int[] x3,
      int length) {
    for (int i = 0; i < length; i++) {
      int four = codes[i] ^ flipped;
      products[i] =
          x0[i] * (four & 255)
              + x1[i] * (four >>> 8 & 255)
              + x2[i] * (four >>> 16 & 255)
              + x3[i] * (four >>> 24);
    }
  }

  private float total(Factor factor, int[][] products, int row, float[] scales, float[] minima) {
    float total = 0;
    for (int group = 0; group < codes.groups; group++) {
      int[] plane = products[planeOf[group]];
      int from = row * codes.ints + starts[group];
      long sum = sum(plane, from, lengths[group]) - factor.zeros[group];
      int of = row * codes.groups + group;
      total += scales[of] * (factor.scales[group] * sum) - minima[of] * factor.sums[group];
    }
    return total;
  }

  /** Of 4, 8 or 9 ints, without a loop: it would take longer than its additions. */
  private static long sum(int[] values, int from, int length) {
    long sum = sumOfFour(values, from);
    if (length > 4) {
      sum += sumOfFour(values, from + 4);
    }
    return length > 8 ? sum + values[from + 8] : sum;
  }

  private static long sumOfFour(int[] values, int from) {
    return ((long) values[from] + values[from + 1]) + ((long) values[from + 2] + values[from + 3]);
  }
}

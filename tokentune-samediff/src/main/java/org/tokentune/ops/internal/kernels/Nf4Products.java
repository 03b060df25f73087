package org.tokentune.ops.internal.kernels;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.quantization.DynamicMap;
import org.tokentune.quantization.Nf4;

/**
 * The product {@code y = x W^T} of a few rows and a weight in {@link Nf4} as it lies in memory: a
 * table has both levels of every byte. (Looking up is not vectorised, but is one load.)
 */
public final class Nf4Products {

  private static final int CHUNK_ELEMENTS = 1 << 16;

  /** Levels of a byte's high and low code. */
  private static final float[] HIGH = new float[256];

  private static final float[] LOW = new float[256];

  static {
    float[] levels = Nf4.levels();
    for (int code = 0; code < HIGH.length; code++) {
      HIGH[code] = levels[code >> 4];
      LOW[code] = levels[code & 15];
    }
  }

  private final int width;
  private final float[][] x;
  private final ByteBuffer codes;
  private final ByteBuffer scaleCodes;
  private final float[] scaleScales;
  private final float offset;
  private final FloatBuffer out;
  private final int outputs;

  private Nf4Products(INDArray rows, INDArray[] weight, INDArray y) {
    width = Math.toIntExact(rows.size(1));
    float[] values = Memory.floatValues(rows);
    x = new float[Math.toIntExact(rows.size(0))][width];
    for (int i = 0; i < x.length; i++) {
      System.arraycopy(values, i * width, x[i], 0, width);
    }
    codes = Memory.bytes(weight[0]);
    scaleCodes = Memory.bytes(weight[1]);
    scaleScales = Memory.floatValues(weight[2]);
    offset = Memory.floatValues(weight[3])[0];
    out = Memory.floats(y);
    outputs = Math.toIntExact(y.size(1));
  }

  /**
   * Multiplies.
   *
   * @param x FLOAT [n, width], width a multiple of {@link Nf4#BLOCK}
   * @param weight codes, codes of scales, scales of these and the offset
   * @param y FLOAT [n, m]
   */
  public static void multiply(INDArray x, INDArray[] weight, INDArray y) {
    try {
      Nf4Products products = new Nf4Products(x, weight, y);
      int rows = Math.max(1, CHUNK_ELEMENTS / products.width);
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
    int blocks = width / Nf4.BLOCK;
    Scratch scratch = Scratch.get();
    byte[] bytes = scratch.bytes(width / 2);
    float[] scales = scratch.floats(Scratch.Slot.TILE, blocks);
    for (int row = start; row < stop; row++) {
      codes.get(row * (width / 2), bytes, 0, width / 2);
      for (int block = 0; block < blocks; block++) {
        int number = row * blocks + block;
        int code = scaleCodes.get(number) & 255;
        float scaleScale = scaleScales[number / Nf4.SCALES];
        scales[block] = DynamicMap.SIGNED.level(code) * scaleScale + offset;
      }
      for (int i = 0; i < x.length; i++) {
        float total = 0;
        for (int block = 0; block < blocks; block++) {
          total += scales[block] * sum(bytes, x[i], block * Nf4.BLOCK);
        }
        out.put(i * outputs + row, total);
      }
    }
  }

  /** Sum of the products of a block's levels, starting at element {@code from}. */
  private static float sum(byte[] bytes, float[] x, int from) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    for (int i = from; i < from + Nf4.BLOCK; i += 4) {
      int first = bytes[i / 2] & 255;
      int second = bytes[i / 2 + 1] & 255;
      a += HIGH[first] * x[i];
      b += LOW[first] * x[i + 1];
      c += HIGH[second] * x[i + 2];
      d += LOW[second] * x[i + 3];
    }
    return (a + b) + (c + d);
  }
}

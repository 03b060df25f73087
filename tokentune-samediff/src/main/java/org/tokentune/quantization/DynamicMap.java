package org.tokentune.quantization;

import java.util.Arrays;

/**
 * The 8-bit dynamic data type (Dettmers, 2016): 256 numbers that are denser towards 0, as in
 * bitsandbytes' {@code create_dynamic_map}: in each of the seven decades below 1, the midpoints of
 * 1, 2, 4, ... 64 (for positive numbers only, 2, 4, ... 128) equal parts of 0.1 to 1, and 0 and 1.
 * The lowest signed number is -1, as in bitsandbytes' quantisation on a CPU.
 */
public final class DynamicMap {

  /** From -1 to 1. */
  public static final DynamicMap SIGNED = new DynamicMap(true);

  /** From 0 to 1. */
  public static final DynamicMap POSITIVE = new DynamicMap(false);

  private static final int CODES = 256;
  private static final int DECADES = 7;

  private final float[] values = new float[CODES];

  /** A number above {@code bounds[i]} has a code above i. */
  private final float[] bounds = new float[CODES - 1];

  /** Code of the smallest float with these upper 16 bits. */
  private final short[] starts = new short[1 << 16];

  private DynamicMap(boolean signed) {
    int size = 0;
    values[size++] = 0;
    values[size++] = 1;
    for (int decade = 0; decade < DECADES; decade++) {
      int parts = 1 << (signed ? decade : decade + 1);
      double scale = Math.pow(10, decade - DECADES + 1);
      for (int i = 0; i < parts; i++) {
        float value = (float) (scale * (0.1 + 0.9 * (i + 0.5) / parts));
        values[size++] = value;
        if (signed) {
          values[size++] = -value;
        }
      }
    }
    Arrays.sort(values);
    values[0] = signed ? -1 : 0;
    for (int i = 0; i < bounds.length; i++) {
      bounds[i] = (float) (((double) values[i] + values[i + 1]) / 2);
    }
    for (int bits = 0; bits < starts.length; bits++) {
      int least = bits < starts.length / 2 ? bits << 16 : bits << 16 | 0xFFFF;
      starts[bits] = (short) codeFrom(0, Float.intBitsToFloat(least));
    }
  }

  private int codeFrom(int from, float value) {
    int code = from;
    while (code < bounds.length && value > bounds[code]) {
      code++;
    }
    return code;
  }

  /** The numbers of the 256 codes, in ascending order. */
  public float[] levels() {
    return values.clone();
  }

  /** The 255 boundaries: a number above {@code bounds[i]} has a code above i. */
  public float[] bounds() {
    return bounds.clone();
  }

  /** Code of the nearest level; the lower one in a tie, 0 for NaN. */
  public int nearest(float value) {
    return codeFrom(starts[Float.floatToRawIntBits(value) >>> 16], value);
  }

  /** The number of a code. */
  public float level(int code) {
    return values[code];
  }
}

package org.tokentune.quantization;

import java.util.Arrays;

/**
 * The dynamic data type of 8 bits (Dettmers, 2016; bitsandbytes' {@code create_dynamic_map}): a
 * sign, a decimal exponent in unary, and a linear fraction in the bits that are left, so that small
 * numbers keep few digits and large ones more.
 */
public enum DynamicMap {
  /** From -1 to 1. */
  SIGNED,
  /** From 0 to 1. */
  UNSIGNED;

  private static final int EXPONENTS = 7;
  private static final float[] SIGNED_LEVELS = SIGNED.create();
  private static final float[] UNSIGNED_LEVELS = UNSIGNED.create();

  /** The 256 numbers that the codes stand for, in ascending order. */
  public float[] levels() {
    return (this == SIGNED ? SIGNED_LEVELS : UNSIGNED_LEVELS).clone();
  }

  private float[] create() {
    float[] levels = new float[256];
    int count = 0;
    for (int i = 0; i < EXPONENTS; i++) {
      int items = this == SIGNED ? 1 << i : 1 << (i + 1);
      double scale = Math.pow(10, i - (EXPONENTS - 1));
      for (int j = 0; j < items; j++) {
        // the middles of equal parts of 0.1 to 1
        float level = (float) (scale * (0.1 + 0.9 * (j + 0.5) / items));
        levels[count++] = level;
        if (this == SIGNED) {
          levels[count++] = -level;
        }
      }
    }
    levels[count++] = 0;
    levels[count++] = 1;
    Arrays.sort(levels);
    if (this == SIGNED) {
      levels[0] = -1; // as bitsandbytes' quantisation on a CPU sets it
    }
    return levels;
  }

  /** Code of the level nearest to a number; of two as near the lower one, of NaN 0. */
  public int nearest(float value) {
    float[] levels = this == SIGNED ? SIGNED_LEVELS : UNSIGNED_LEVELS;
    int at = Arrays.binarySearch(levels, value);
    if (at >= 0) {
      return at;
    }
    int above = -at - 1;
    if (above == 0 || Float.isNaN(value)) {
      return 0;
    }
    if (above == levels.length) {
      return above - 1;
    }
    return levels[above] - value < value - levels[above - 1] ? above : above - 1;
  }
}

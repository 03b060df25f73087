package org.tokentune.ops.internal.kernels;

import org.tokentune.ops.internal.kernels.Scratch.Slot;

/**
 * Vectorised {@code exp} of floats up to 88, accurate to two units in the last place. Results below
 * the smallest normal float are 0; NaN stays NaN.
 *
 * <p>{@code exp(x) = 2^n * exp(r)}, n the integer nearest to {@code x / ln 2}, and exp(r) its
 * Taylor series up to the seventh power, with a remainder below 1e-8. The power of two is computed
 * from its bits, in separate loops: a loop that mixes floats with their bits is not vectorised.
 */
public final class Exp {

  private static final float LOWEST = -88f; // n = -127, whose bits are those of 0

  /** Adding this to a float leaves the nearest integer in the lowest bits. */
  private static final float ROUND = 0x1.8p23f;

  private static final int ROUND_BITS = Float.floatToRawIntBits(ROUND);
  private static final float LOG2_E = (float) (1 / Math.log(2));

  // ln 2 in two parts: n times the first part is exact.
  private static final float LN_2_HIGH = 355f / 512;
  private static final float LN_2_LOW = (float) (Math.log(2) - 355.0 / 512);

  private Exp() {}

  /**
   * {@code x = exp(x)}, x at most 88, for elements 0 to length - 1. Uses slots 6 and 7 of the
   * scratch.
   */
  public static void inPlace(float[] x, int length) {
    Scratch scratch = Scratch.get();
    float[] power = scratch.floats(Slot.LEAF_1, length);
    float[] series = scratch.floats(Slot.LEAF_2, length);
    int[] bits = scratch.ints(Slot.LEAF_1, length);
    split(x, power, series, length);
    series(series, length);
    scratch.toBits(power, bits, length);
    exponents(bits, length);
    scratch.fromBits(bits, power, length);
    multiply(series, power, x, length);
  }

  // Loops have few operations each: the compiler must unroll a loop eight times before it can
  // vectorise it.

  /** Computes {@code n + ROUND} and r. */
  private static void split(float[] x, float[] power, float[] r, int length) {
    for (int i = 0; i < length; i++) {
      float z = Math.max(LOWEST, x[i]);
      float shifted = z * LOG2_E + ROUND;
      float n = shifted - ROUND;
      power[i] = shifted;
      r[i] = z - n * LN_2_HIGH - n * LN_2_LOW;
    }
  }

  /** Replaces r by exp(r). */
  private static void series(float[] values, int length) {
    for (int i = 0; i < length; i++) {
      float r = values[i];
      float high = r * (1f / 5040) + 1f / 720;
      high = high * r + 1f / 120;
      high = high * r + 1f / 24;
      high = high * r + 1f / 6;
      high = high * r + 0.5f;
      values[i] = high * r * r + r + 1;
    }
  }

  /** Converts the bits of {@code n + ROUND} to those of 2^n. */
  private static void exponents(int[] bits, int length) {
    for (int i = 0; i < length; i++) {
      bits[i] = (bits[i] - ROUND_BITS + 127) << 23;
    }
  }

  private static void multiply(float[] a, float[] b, float[] out, int length) {
    for (int i = 0; i < length; i++) {
      out[i] = a[i] * b[i];
    }
  }
}

package org.tokentune.ops.internal.kernels;

/**
 * Sums over part of an array, in eight partial sums: with a single one, the compiler must add
 * sequentially, and rounding errors grow with the length.
 */
public final class Sums {

  private Sums() {}

  public static float sum(float[] x, int from, int to) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    float e = 0;
    float f = 0;
    float g = 0;
    float h = 0;
    int i = from;
    for (; i <= to - 8; i += 8) {
      a += x[i];
      b += x[i + 1];
      c += x[i + 2];
      d += x[i + 3];
      e += x[i + 4];
      f += x[i + 5];
      g += x[i + 6];
      h += x[i + 7];
    }
    for (; i < to; i++) {
      a += x[i];
    }
    return ((a + b) + (c + d)) + ((e + f) + (g + h));
  }

  /** Sum of the products {@code x[i] * y[i]}. */
  public static float products(float[] x, float[] y, int from, int to) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    float e = 0;
    float f = 0;
    float g = 0;
    float h = 0;
    int i = from;
    for (; i <= to - 8; i += 8) {
      a += x[i] * y[i];
      b += x[i + 1] * y[i + 1];
      c += x[i + 2] * y[i + 2];
      d += x[i + 3] * y[i + 3];
      e += x[i + 4] * y[i + 4];
      f += x[i + 5] * y[i + 5];
      g += x[i + 6] * y[i + 6];
      h += x[i + 7] * y[i + 7];
    }
    for (; i < to; i++) {
      a += x[i] * y[i];
    }
    return ((a + b) + (c + d)) + ((e + f) + (g + h));
  }

  /**
   * The maximum, ignoring NaN; minus infinity for an empty range. (The branches are rarely taken:
   * {@code Math.max} takes five times as long.)
   */
  public static float max(float[] x, int from, int to) {
    float a = Float.NEGATIVE_INFINITY;
    float b = a;
    float c = a;
    float d = a;
    int i = from;
    for (; i <= to - 4; i += 4) {
      if (x[i] > a) {
        a = x[i];
      }
      if (x[i + 1] > b) {
        b = x[i + 1];
      }
      if (x[i + 2] > c) {
        c = x[i + 2];
      }
      if (x[i + 3] > d) {
        d = x[i + 3];
      }
    }
    for (; i < to; i++) {
      if (x[i] > a) {
        a = x[i];
      }
    }
    return Math.max(Math.max(a, b), Math.max(c, d));
  }
}

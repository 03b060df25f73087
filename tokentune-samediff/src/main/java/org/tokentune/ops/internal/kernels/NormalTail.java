package org.tokentune.ops.internal.kernels;

import org.tokentune.ops.internal.kernels.Scratch.Slot;

/**
 * The tail of the normal distribution, {@code q = P(-a)}, and its density, without exponentials:
 * {@code q = 1 / (2 p(a)^8)}, which is the form of Abramowitz and Stegun's formula 7.1.28. The
 * polynomial p is of degree 9, with the least greatest error of {@code a q}, 1e-8; in floats {@code
 * a q} is accurate to 3e-7. The density is {@code -q' = 8 q p'(a) / p(a)}, accurate to 5e-7.
 *
 * <p>Loops have one or two steps of Horner's scheme: Java 17 compiles longer ones over two arrays
 * without vectors.
 */
final class NormalTail {

  /** Here the tail is 0 in floats, and p still finite. */
  private static final float FAR = 20;

  /** Of 1, a, a^2 and so on. */
  private static final float[] P = {
    1,
    0.099735945f,
    0.044757348f,
    8.697751e-3f,
    8.015112e-4f,
    2.807278e-4f,
    4.224388e-6f,
    1.291198e-5f,
    -2.0806183e-6f,
    3.4778395e-7f
  };

  private static final float[] SLOPE = slope(P);

  private NormalTail() {}

  /** {@code q = P(-|x|)}. Uses both LEAF slots of the scratch. */
  static void of(float[] x, float[] q, int length) {
    float[] a = Scratch.get().floats(Slot.LEAF_1, length);
    float[] p = Scratch.get().floats(Slot.LEAF_2, length);
    magnitudes(x, a, length);
    polynomial(P, a, p, length);
    tail(p, q, length);
  }

  /** The same, and {@code density = P'(x)}. */
  static void of(float[] x, float[] q, float[] density, int length) {
    of(x, q, length);
    float[] a = Scratch.get().floats(Slot.LEAF_1, length);
    float[] p = Scratch.get().floats(Slot.LEAF_2, length);
    polynomial(SLOPE, a, density, length);
    for (int i = 0; i < length; i++) {
      density[i] = 8 * q[i] * density[i] / p[i];
    }
  }

  private static void magnitudes(float[] x, float[] a, int length) {
    for (int i = 0; i < length; i++) {
      a[i] = Math.min(Math.abs(x[i]), FAR);
    }
  }

  private static float[] slope(float[] coefficients) {
    float[] slope = new float[coefficients.length - 1];
    for (int i = 0; i < slope.length; i++) {
      slope[i] = (i + 1) * coefficients[i + 1];
    }
    return slope;
  }

  /** {@code y = polynomial(x)}, of any degree from 1. */
  private static void polynomial(float[] coefficients, float[] x, float[] y, int length) {
    int next = coefficients.length - 3;
    line(coefficients[next + 2], coefficients[next + 1], x, y, length);
    if (next % 2 == 0) {
      step(coefficients[next--], x, y, length);
    }
    for (; next > 0; next -= 2) {
      steps(coefficients[next], coefficients[next - 1], x, y, length);
    }
  }

  private static void line(float slope, float at0, float[] x, float[] y, int length) {
    for (int i = 0; i < length; i++) {
      y[i] = slope * x[i] + at0;
    }
  }

  private static void step(float coefficient, float[] x, float[] y, int length) {
    for (int i = 0; i < length; i++) {
      y[i] = y[i] * x[i] + coefficient;
    }
  }

  private static void steps(float first, float second, float[] x, float[] y, int length) {
    for (int i = 0; i < length; i++) {
      y[i] = (y[i] * x[i] + first) * x[i] + second;
    }
  }

  private static void tail(float[] p, float[] q, int length) {
    for (int i = 0; i < length; i++) {
      float power = p[i] * p[i];
      power *= power;
      q[i] = 0.5f / (power * power);
    }
  }
}

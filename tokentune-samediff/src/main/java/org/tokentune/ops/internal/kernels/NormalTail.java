package org.tokentune.ops.internal.kernels;

import org.tokentune.ops.internal.kernels.Scratch.Slot;

/**
 * The tail of the normal distribution, {@code q = P(-a)}, and its density, without exponentials:
 * {@code q = 1 / (2 p(a)^8)}, which is the form of Abramowitz and Stegun's formula 7.1.28. The
 * polynomial p is of degree 9, with the least greatest error of {@code a q}, 1e-8; in floats {@code
 * a q} is accurate to 3e-7. The density is {@code -q' = 8 q p'(a) / p(a)}, accurate to 5e-7.
 *
 * <p>Loops have few operations each: the compiler must unroll a loop eight times before it can
 * vectorise it.
 */
final class NormalTail {

  /** Here the tail is 0 in floats, and p still finite. */
  private static final float FAR = 20;

  private NormalTail() {}

  /** {@code q = P(-|x|)}. Uses both LEAF slots of the scratch. */
  static void of(float[] x, float[] q, int length) {
    float[] a = Scratch.get().floats(Slot.LEAF_1, length);
    float[] p = Scratch.get().floats(Slot.LEAF_2, length);
    magnitudes(x, a, length);
    upperTerms(a, p, length);
    lowerTerms(a, p, length);
    tail(p, q, length);
  }

  /** The same, and {@code density = P'(x)}. */
  static void of(float[] x, float[] q, float[] density, int length) {
    of(x, q, length);
    float[] a = Scratch.get().floats(Slot.LEAF_1, length);
    float[] p = Scratch.get().floats(Slot.LEAF_2, length);
    upperSlope(a, density, length);
    lowerSlope(a, density, length);
    for (int i = 0; i < length; i++) {
      density[i] = 8 * q[i] * density[i] / p[i];
    }
  }

  private static void magnitudes(float[] x, float[] a, int length) {
    for (int i = 0; i < length; i++) {
      a[i] = Math.min(Math.abs(x[i]), FAR);
    }
  }

  private static void upperTerms(float[] as, float[] p, int length) {
    for (int i = 0; i < length; i++) {
      float a = as[i];
      float sum = 3.4778395e-7f * a - 2.0806183e-6f;
      sum = sum * a + 1.291198e-5f;
      sum = sum * a + 4.224388e-6f;
      p[i] = sum * a + 2.807278e-4f;
    }
  }

  private static void lowerTerms(float[] as, float[] p, int length) {
    for (int i = 0; i < length; i++) {
      float a = as[i];
      float sum = p[i] * a + 8.015112e-4f;
      sum = sum * a + 8.697751e-3f;
      sum = sum * a + 0.044757348f;
      sum = sum * a + 0.099735945f;
      p[i] = sum * a + 1;
    }
  }

  private static void tail(float[] p, float[] q, int length) {
    for (int i = 0; i < length; i++) {
      float power = p[i] * p[i];
      power *= power;
      q[i] = 0.5f / (power * power);
    }
  }

  private static void upperSlope(float[] as, float[] slope, int length) {
    for (int i = 0; i < length; i++) {
      float a = as[i];
      float sum = 9 * 3.4778395e-7f * a - 8 * 2.0806183e-6f;
      sum = sum * a + 7 * 1.291198e-5f;
      sum = sum * a + 6 * 4.224388e-6f;
      slope[i] = sum * a + 5 * 2.807278e-4f;
    }
  }

  private static void lowerSlope(float[] as, float[] slope, int length) {
    for (int i = 0; i < length; i++) {
      float a = as[i];
      float sum = slope[i] * a + 4 * 8.015112e-4f;
      sum = sum * a + 3 * 8.697751e-3f;
      sum = sum * a + 2 * 0.044757348f;
      slope[i] = sum * a + 0.099735945f;
    }
  }
}

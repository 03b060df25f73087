package org.tokentune.ops.internal.kernels;

import org.tokentune.ops.internal.kernels.Scratch.Slot;

/**
 * GELU and SiLU kernels {@code f(x) = x * P(x)}, where P rises from 0 to 1 and {@code P(-x) = 1 -
 * P(x)}: GELU (P is the normal distribution, or a logistic approximation of it) and SiLU
 * (logistic).
 *
 * <p>All are computed from the tail {@code q = P(-|x|)}, at most 1/2: {@code f(x) = max(x, 0) - |x|
 * q}. This needs no branches, which would prevent vectorisation, and nothing cancels, so even small
 * results have small relative errors. {@code f'(x) = P(x) + x P'(x)}. Beyond {@link #FAR} the tail
 * is 0 in float.
 */
public enum ActivationKernel {
  /**
   * P is the normal distribution: {@code q = exp(-x^2 / 2) t poly(t)}, {@code t = 1 / (1 + 0.35
   * |x|)}, with a polynomial that interpolates at Chebyshev points with a relative error of 4e-8.
   * P' is the normal density.
   */
  GELU(0),
  /** {@code P(x) = sigmoid(2 u)}, {@code u = sqrt(2 / pi) (x + 0.044715 x^3)}. */
  GELU_TANH(1),
  /** {@code P(x) = sigmoid(x)}. */
  SILU(2);

  /** From here on, tails are below the smallest float. */
  private static final float FAR = 88;

  /** Scales every positive normal float to at least 1: computes a sign without branching. */
  private static final float HUGE = 1e38f;

  private static final float CUBIC = 0.044715f;
  private static final float TWICE_ROOT = (float) (2 * Math.sqrt(2 / Math.PI));
  private static final float DENSITY = (float) (1 / Math.sqrt(2 * Math.PI));

  /** Its number, as an op's argument. */
  public final int number;

  ActivationKernel(int number) {
    this.number = number;
  }

  /** The function with a {@link #number}. */
  public static ActivationKernel of(long number) {
    return switch ((int) number) {
      case 0 -> GELU;
      case 1 -> GELU_TANH;
      default -> SILU;
    };
  }

  /** {@code y = f(x)}. */
  public void forward(float[] x, float[] y, int length) {
    exponential(x, y, length);
    if (this == GELU) {
      normalTail(x, y, length);
    } else {
      logisticTail(y, length);
    }
    rectify(x, y, length);
  }

  /** {@code slope = f'(x)}. */
  public void slope(float[] x, float[] slope, int length) {
    float[] gateSlope = Scratch.get().floats(Slot.GATE_SLOPE, length);
    exponential(x, slope, length);
    if (this == GELU) {
      normalGateSlope(x, slope, gateSlope, length);
      normalTail(x, slope, length);
    } else {
      logisticTail(slope, length);
      logisticGateSlope(x, slope, gateSlope, length);
    }
    if (this == GELU_TANH) {
      inner(x, gateSlope, length);
    }
    gate(x, slope, length);
    ColumnSums.add(gateSlope, slope, length);
  }

  /**
   * The exponential in the tail, {@code exp(-x^2 / 2)} or {@code exp(-2 |u|)} or {@code exp(-|x|)}.
   */
  private void exponential(float[] x, float[] e, int length) {
    switch (this) {
      case GELU -> squares(x, e, length);
      case GELU_TANH -> cubes(x, e, length);
      case SILU -> magnitudes(x, e, length);
    }
    Exp.inPlace(e, length);
  }

  private static void squares(float[] x, float[] e, int length) {
    for (int i = 0; i < length; i++) {
      float a = Math.min(Math.abs(x[i]), FAR);
      e[i] = -0.5f * a * a;
    }
  }

  private static void cubes(float[] x, float[] e, int length) {
    for (int i = 0; i < length; i++) {
      float a = Math.min(Math.abs(x[i]), FAR);
      e[i] = -TWICE_ROOT * (a + CUBIC * a * a * a);
    }
  }

  private static void magnitudes(float[] x, float[] e, int length) {
    for (int i = 0; i < length; i++) {
      e[i] = -Math.min(Math.abs(x[i]), FAR);
    }
  }

  /**
   * Replaces the exponential by the tail of the normal distribution. Loops have few operations
   * each: the compiler must unroll a loop eight times before it can vectorise it.
   */
  private static void normalTail(float[] x, float[] e, int length) {
    float[] t = Scratch.get().floats(Slot.LEAF_1, length);
    float[] p = Scratch.get().floats(Slot.LEAF_2, length);
    inverses(x, t, length);
    upperTerms(t, p, length);
    lowerTerms(t, p, length);
    for (int i = 0; i < length; i++) {
      e[i] *= p[i] * t[i];
    }
  }

  private static void inverses(float[] x, float[] t, int length) {
    for (int i = 0; i < length; i++) {
      t[i] = 1 / (1 + 0.35f * Math.abs(x[i]));
    }
  }

  private static void upperTerms(float[] ts, float[] p, int length) {
    for (int i = 0; i < length; i++) {
      float t = ts[i];
      float sum = -0.029679522f * t + 0.14654583f;
      sum = sum * t - 0.26096123f;
      sum = sum * t + 0.165051f;
      p[i] = sum * t - 0.027046608f;
    }
  }

  private static void lowerTerms(float[] ts, float[] p, int length) {
    for (int i = 0; i < length; i++) {
      float t = ts[i];
      float sum = p[i] * t + 0.10711459f;
      sum = sum * t + 0.119444914f;
      sum = sum * t + 0.13991229f;
      p[i] = sum * t + 0.13961871f;
    }
  }

  private static void logisticTail(float[] e, int length) {
    for (int i = 0; i < length; i++) {
      e[i] = e[i] / (1 + e[i]);
    }
  }

  /** Replaces the tail by {@code f(x)}. */
  private static void rectify(float[] x, float[] q, int length) {
    for (int i = 0; i < length; i++) {
      q[i] = Math.max(x[i], 0) - Math.min(Math.abs(x[i]), FAR) * q[i];
    }
  }

  /** Replaces the tail by {@code P(x)}. */
  private static void gate(float[] x, float[] q, int length) {
    for (int i = 0; i < length; i++) {
      float sign = Math.max(-1, Math.min(1, x[i] * HUGE));
      q[i] = 0.5f + sign * (0.5f - q[i]);
    }
  }

  /** {@code x P'(x)} of the normal distribution, from the exponential. */
  private static void normalGateSlope(float[] x, float[] e, float[] gateSlope, int length) {
    for (int i = 0; i < length; i++) {
      gateSlope[i] = Math.max(-FAR, Math.min(FAR, x[i])) * (DENSITY * e[i]);
    }
  }

  /** {@code x P'(x)} of the logistic distribution, from the tail. */
  private static void logisticGateSlope(float[] x, float[] q, float[] gateSlope, int length) {
    for (int i = 0; i < length; i++) {
      gateSlope[i] = Math.max(-FAR, Math.min(FAR, x[i])) * (q[i] * (1 - q[i]));
    }
  }

  /** {@code gateSlope *= 2 u'}. */
  private static void inner(float[] x, float[] gateSlope, int length) {
    for (int i = 0; i < length; i++) {
      float near = Math.min(FAR, Math.abs(x[i]));
      gateSlope[i] *= TWICE_ROOT + (3 * CUBIC * TWICE_ROOT) * near * near;
    }
  }
}

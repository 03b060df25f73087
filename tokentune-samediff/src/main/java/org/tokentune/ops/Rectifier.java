package org.tokentune.ops;

/**
 * Smooth rectifiers {@code f(x) = x * P(x)}, where P climbs from 0 to 1 and {@code P(-x) = 1 -
 * P(x)}: GELU (P is the normal distribution, or a logistic approximation of it) and SiLU
 * (logistic).
 *
 * <p>All are computed from the tail {@code q = P(-|x|)}, at most 1/2: {@code f(x) = max(x, 0) - |x|
 * q}. There is no case distinction for the compiler to stumble over, and nothing cancels, so even
 * small results have small relative errors. {@code f'(x) = P(x) + x P'(x)}. Beyond {@link #FAR} the
 * tail is 0 in float.
 */
enum Rectifier {
  /**
   * P is the normal distribution: {@code q = exp(-x^2 / 2) t poly(t)}, {@code t = 1 / (1 + 0.35
   * |x|)}, the polynomial interpolating at Chebyshev points with a relative error of 4e-8. P' is
   * the normal density.
   */
  GELU,
  /** {@code P(x) = sigmoid(2 u)}, {@code u = sqrt(2 / pi) (x + 0.044715 x^3)}. */
  GELU_TANH,
  /** {@code P(x) = sigmoid(x)}. */
  SILU;

  /** Tails are below the least float from here on. */
  private static final float FAR = 88;

  /** Makes every normal float's product with it at least 1: a sign without a case distinction. */
  private static final float HUGE = 1e38f;

  private static final float CUBIC = 0.044715f;
  private static final float TWICE_ROOT = (float) (2 * Math.sqrt(2 / Math.PI));
  private static final float DENSITY = (float) (1 / Math.sqrt(2 * Math.PI));

  /** {@code y = f(x)}; uses slots 6 and 7 of the scratch. */
  void forward(float[] x, float[] y, int length) {
    exponential(x, y, length);
    if (this == GELU) {
      normalForward(x, y, length);
    } else {
      logisticForward(x, y, length);
    }
  }

  /** {@code slope = f'(x)}; uses slots 6 and 7 of the scratch. */
  void slope(float[] x, float[] slope, int length) {
    exponential(x, slope, length);
    switch (this) {
      case GELU -> normalSlope(x, slope, length);
      case GELU_TANH -> tanhSlope(x, slope, length);
      case SILU -> logisticSlope(x, slope, length);
    }
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

  private static float normalTail(float a, float e) {
    float t = 1 / (1 + 0.35f * a);
    float p = -0.029679522f;
    p = p * t + 0.14654583f;
    p = p * t - 0.26096123f;
    p = p * t + 0.165051f;
    p = p * t - 0.027046608f;
    p = p * t + 0.10711459f;
    p = p * t + 0.119444914f;
    p = p * t + 0.13991229f;
    p = p * t + 0.13961871f;
    return p * t * e;
  }

  private static void normalForward(float[] x, float[] y, int length) {
    for (int i = 0; i < length; i++) {
      float a = Math.min(Math.abs(x[i]), FAR);
      y[i] = Math.max(x[i], 0) - a * normalTail(a, y[i]);
    }
  }

  private static void logisticForward(float[] x, float[] y, int length) {
    for (int i = 0; i < length; i++) {
      float a = Math.min(Math.abs(x[i]), FAR);
      y[i] = Math.max(x[i], 0) - a * (y[i] / (1 + y[i]));
    }
  }

  /** {@code P(x)} of the tail. */
  private static float climb(float x, float q) {
    float sign = Math.max(-1, Math.min(1, x * HUGE));
    return 0.5f + sign * (0.5f - q);
  }

  private static void normalSlope(float[] x, float[] slope, int length) {
    for (int i = 0; i < length; i++) {
      float a = Math.min(Math.abs(x[i]), FAR);
      float near = Math.max(-FAR, Math.min(FAR, x[i]));
      float q = normalTail(a, slope[i]);
      slope[i] = climb(x[i], q) + near * (DENSITY * slope[i]);
    }
  }

  private static void logisticSlope(float[] x, float[] slope, int length) {
    for (int i = 0; i < length; i++) {
      float near = Math.max(-FAR, Math.min(FAR, x[i]));
      float q = slope[i] / (1 + slope[i]);
      slope[i] = climb(x[i], q) + near * (q * (1 - q));
    }
  }

  private static void tanhSlope(float[] x, float[] slope, int length) {
    for (int i = 0; i < length; i++) {
      float near = Math.max(-FAR, Math.min(FAR, x[i]));
      float q = slope[i] / (1 + slope[i]);
      float inner = TWICE_ROOT * (1 + 3 * CUBIC * near * near);
      slope[i] = climb(x[i], q) + near * (q * (1 - q)) * inner;
    }
  }
}

package org.tokentune.ops.internal.kernels;

/** {@code cap * tanh(x / cap)} and its slope, for elements 0 to length - 1. */
public final class SoftCapKernel {

  /** From here on, the hyperbolic tangent is 1 in float. */
  private static final float FAR = 10;

  private SoftCapKernel() {}

  /**
   * {@code y = cap * tanh(scale * x)}, where {@code tanh(u) = sign(u) (1 - e) / (1 + e)} and {@code
   * e = exp(-2 |u|)}.
   */
  public static void capped(float[] x, float[] y, float scale, float cap, int length) {
    for (int i = 0; i < length; i++) {
      y[i] = -2 * Math.min(Math.abs(x[i] * scale), FAR);
    }
    Exp.inPlace(y, length);
    for (int i = 0; i < length; i++) {
      y[i] = Math.copySign(cap, x[i] * scale) * ((1 - y[i]) / (1 + y[i]));
    }
  }

  /** {@code slope = 1 - (y / cap)^2}, the derivative of the cap at the capped value y. */
  static void slope(float[] y, float[] slope, float cap, int length) {
    float inverse = 1 / cap;
    for (int i = 0; i < length; i++) {
      float tanh = y[i] * inverse;
      slope[i] = 1 - tanh * tanh;
    }
  }
}

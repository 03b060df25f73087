package org.tokentune.ops.internal.kernels;

import org.tokentune.ops.internal.kernels.Scratch.Slot;

/**
 * GELU and SiLU kernels {@code f(x) = x * P(x)}, where P rises from 0 to 1 and {@code P(-x) = 1 -
 * P(x)}: GELU (P is the normal distribution, or a logistic approximation of it) and SiLU
 * (logistic).
 *
 * <p>All are computed from the tail {@code q = P(-|x|)}, at most 1/2: {@code f(x) = max(x, 0) - |x|
 * q}. This needs no branches, which would prevent vectorisation, and nothing cancels. {@code f'(x)
 * = P(x) + x P'(x)}. Beyond {@link #FAR} a logistic tail is 0 in float.
 */
public enum ActivationKernel {
  /** P is the normal distribution, from {@link NormalTail}. */
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
    if (this == GELU) {
      NormalTail.of(x, y, length);
    } else {
      exponential(x, y, length);
      logisticTail(y, length);
    }
    rectify(x, y, length);
  }

  /** {@code slope = f'(x)}. */
  public void slope(float[] x, float[] slope, int length) {
    float[] gateSlope = Scratch.get().floats(Slot.GATE_SLOPE, length);
    if (this == GELU) {
      NormalTail.of(x, slope, gateSlope, length);
      timesNear(x, gateSlope, length);
    } else {
      exponential(x, slope, length);
      logisticTail(slope, length);
      logisticGateSlope(x, slope, gateSlope, length);
    }
    if (this == GELU_TANH) {
      inner(x, gateSlope, length);
    }
    gate(x, slope, length);
    ColumnSums.add(gateSlope, slope, length);
  }

  /** The exponential in a logistic tail, {@code exp(-2 |u|)} or {@code exp(-|x|)}. */
  private void exponential(float[] x, float[] e, int length) {
    if (this == GELU_TANH) {
      cubes(x, e, length);
    } else {
      magnitudes(x, e, length);
    }
    Exp.inPlace(e, length);
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

  /** Replaces {@code P'(x)} by {@code x P'(x)}. */
  private static void timesNear(float[] x, float[] slope, int length) {
    for (int i = 0; i < length; i++) {
      slope[i] *= Math.max(-FAR, Math.min(FAR, x[i]));
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

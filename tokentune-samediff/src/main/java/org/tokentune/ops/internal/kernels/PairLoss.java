package org.tokentune.ops.internal.kernels;

/** Losses of a prediction x and its target y. In double, as there are few pairs. */
public enum PairLoss {
  /**
   * Binary cross entropy with logits, {@code -(y log sigmoid(x) + (1 - y) log sigmoid(-x))}, in a
   * form in which no exponential overflows and nothing cancels for y of 0 or 1.
   */
  BINARY_CROSS_ENTROPY {
    @Override
    public double of(double x, double y) {
      return Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x)));
    }

    @Override
    public double slope(double x, double y) {
      return (1 - y) / (1 + Math.exp(-x)) - y / (1 + Math.exp(x));
    }
  },
  /** {@code (x - y)^2}. */
  SQUARED_ERROR {
    @Override
    public double of(double x, double y) {
      return (x - y) * (x - y);
    }

    @Override
    public double slope(double x, double y) {
      return 2 * (x - y);
    }
  };

  public abstract double of(double x, double y);

  /** The derivative with respect to x. */
  public abstract double slope(double x, double y);
}

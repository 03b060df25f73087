package org.tokentune.plan;

import java.util.Locale;

/**
 * The precision in which activations are stored between the forward and the backward pass, which
 * both compute in floats. The loss is unaffected; gradients are computed from rounded activations.
 */
public enum ActivationPrecision {
  /** Stored unchanged. */
  FLOAT32,
  /** Rounded to 8 significant bits, as BF16: the relative error is at most 2^-9. */
  BF16,
  /**
   * Rounded to 11 significant bits, as IEEE half precision: the relative error is at most 2^-12
   * except for the smallest numbers; values above 65,504 become infinite.
   */
  F16;

  /** The name in lower case, as on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}

package org.tokentune.plan;

import org.tokentune.quantization.BlockFormat;

/**
 * How activations are kept from the forward to the backward pass, which compute in floats. The loss
 * stays what it is; the gradients are those of rounded activations.
 */
public enum ActivationPrecision {
  /** As they are. */
  FLOAT32(null),
  /** Rounded to 8 significant bits, as BF16: each number is off by at most 2^-9 of itself. */
  BF16(BlockFormat.BF16),
  /**
   * Rounded to 11 significant bits, as IEEE half precision: each number is off by at most 2^-12 of
   * itself, the smallest aside; one past 65,504 becomes infinite.
   */
  F16(BlockFormat.F16);

  final BlockFormat format;

  ActivationPrecision(BlockFormat format) {
    this.format = format;
  }
}

package org.tokentune.plan;

import org.tokentune.quantization.BlockFormat;

/** How activations are kept from the forward to the backward pass, which compute in floats. */
public enum Keep {
  /** As they are. */
  FLOAT32(null),
  /** Rounded to 8 significant bits, as BF16: gradients are off by about 2^-9 of themselves. */
  BF16(BlockFormat.BF16),
  /**
   * Rounded to 11 significant bits, as IEEE half precision: gradients are off by about 2^-12 of
   * themselves; an activation past 65,504 becomes infinite.
   */
  F16(BlockFormat.F16);

  final BlockFormat format;

  Keep(BlockFormat format) {
    this.format = format;
  }
}

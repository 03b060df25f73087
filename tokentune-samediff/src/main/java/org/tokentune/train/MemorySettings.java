package org.tokentune.train;

import org.tokentune.BadSettingsException;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;

/**
 * What a step keeps in memory from its forward to its backward pass.
 *
 * @param checkpointing what is computed again instead of being kept, where there is no budget
 * @param precision how the rest is kept
 * @param budget bytes that a step may take above parameters and optimizer state: it recomputes no
 *     more than it has to for that; 0: no budget
 */
public record MemorySettings(
    ActivationCheckpointing checkpointing, ActivationPrecision precision, long budget) {

  public MemorySettings {
    if (budget < 0) {
      throw BadSettingsException.of("budget", "must be at least 0, got %d.", budget);
    }
  }

  /** What one cheap pass gives is computed again, the rest kept as floats, without a budget. */
  public static MemorySettings defaults() {
    return of(ActivationCheckpointing.ELEMENTWISE);
  }

  /** Activations as floats, without a budget. */
  public static MemorySettings of(ActivationCheckpointing checkpointing) {
    return new MemorySettings(checkpointing, ActivationPrecision.FLOAT32, 0);
  }
}

package org.tokentune.train;

import static org.tokentune.Arguments.required;

import org.tokentune.BadSettingsException;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;

/**
 * Which activations a step stores from its forward to its backward pass, and how.
 *
 * @param checkpointing what is recomputed rather than stored, if there is no budget
 * @param precision how the rest is stored
 * @param budget bytes that a step may take in addition to parameters and optimizer state; it
 *     recomputes no more than this requires; 0: no budget
 */
public record MemorySettings(
    ActivationCheckpointing checkpointing, ActivationPrecision precision, long budget) {

  public MemorySettings {
    required(checkpointing, "checkpointing");
    required(precision, "precision");

    if (budget < 0) {
      throw BadSettingsException.of("budget", "must be at least 0, got %d.", budget);
    }
  }

  /** Cheap activations are recomputed and the others stored as floats, without a budget. */
  public static MemorySettings defaults() {
    return of(ActivationCheckpointing.ELEMENTWISE);
  }

  /** Activations are stored as floats, without a budget. */
  public static MemorySettings of(ActivationCheckpointing checkpointing) {
    return new MemorySettings(checkpointing, ActivationPrecision.FLOAT32, 0);
  }
}

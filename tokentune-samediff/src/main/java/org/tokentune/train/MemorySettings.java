package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.io.Serializable;
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
 * @param microBatch texts of a batch that run at a time, in training vectors of texts: see {@link
 *     CachedVectors}; 0: all of them
 */
public record MemorySettings(
    ActivationCheckpointing checkpointing,
    ActivationPrecision precision,
    long budget,
    int microBatch)
    implements Serializable {

  public MemorySettings {
    required(checkpointing, "checkpointing");
    required(precision, "precision");

    if (microBatch < 0) {
      throw BadSettingsException.of("microBatch", "must be at least 0, got %d.", microBatch);
    }
    if (budget < 0) {
      throw BadSettingsException.of("budget", "must be at least 0, got %d.", budget);
    }
  }

  /** Settings with which all texts of a batch run at once. */
  public MemorySettings(
      ActivationCheckpointing checkpointing, ActivationPrecision precision, long budget) {
    this(checkpointing, precision, budget, 0);
  }

  /** Returns a copy with which fewer texts of a batch run at a time. */
  public MemorySettings withMicroBatch(int texts) {
    return new MemorySettings(checkpointing, precision, budget, texts);
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

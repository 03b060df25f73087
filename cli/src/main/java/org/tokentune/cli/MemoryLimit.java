package org.tokentune.cli;

import org.tokentune.BadSettingsException;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.StepMemoryReport;

/**
 * Ends a training before its first step if it would take more memory than there is.
 *
 * @param bytes the limit; 0: none
 */
record MemoryLimit(long bytes) implements FineTuningListener {

  /** Begins the message, by which a search tells such trainings from others that failed. */
  static final String REFUSED = "The training would take ";

  /** Parameters, the copy of their best values, optimizer state, and the largest step. */
  static long needed(StepMemoryReport memory) {
    return memory.total() + memory.trained();
  }

  @Override
  public void onPlan(StepMemoryReport memory) {
    if (bytes > 0 && needed(memory) > bytes) {
      throw new BadSettingsException(
          REFUSED
              + "%.1f MB for parameters, their best values, optimizer state and the largest step, and"
              + " --memory-limit is %.1f MB; see tokentune memory for what takes less.",
          needed(memory) / 1e6,
          bytes / 1e6);
    }
  }
}

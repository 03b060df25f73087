package org.tokentune.spark;

import java.util.List;
import org.tokentune.BadSettingsException;
import org.tokentune.nn.Parameters;

/**
 * What a training takes on the driver, in bytes. Spark would end a job that takes more, or lose a
 * result and wait, with no hint of what to do.
 *
 * @param sent values of what trains, to all tasks
 * @param returned by each task that returns anything
 * @param frozen weights that do not train, on their way to the executors
 * @param tasks that return something in a step
 * @param exchanged gradients of all tasks in the driver's process, for one another
 * @param oneProcess whether tasks run in the driver's process
 */
record DriverLoad(
    long sent, long returned, long frozen, int tasks, long exchanged, boolean oneProcess) {

  /**
   * @param state bytes of the optimizer's
   */
  static DriverLoad of(
      Parameters parameters,
      List<String> trained,
      long state,
      SparkSteps.Options options,
      boolean oneProcess) {
    long values = parameters.bytes(trained);
    long frozen = parameters.bytes() - values;
    if (options.syncEvery() > 1) {
      long all = values + state;
      return new DriverLoad(all, all, frozen, options.tasks(), 0, oneProcess);
    }
    long gradients = options.precision() == GradientPrecision.FLOAT32 ? values : values / 2;
    if (options.direct()) { // one task returns all; each has its gradients, others', and sums
      long all = values + state;
      long held = 2 * gradients + values / options.tasks();
      return new DriverLoad(
          all, all, frozen, 1, oneProcess ? options.tasks() * held : 0, oneProcess);
    }
    return new DriverLoad(values, gradients, frozen, options.tasks(), 0, oneProcess);
  }

  /**
   * Bytes of heap: results as they come, as bytes that Spark copies out of them, and read; in one
   * process also as they are made, and serialised; what is sent as it is and serialised.
   */
  long heap() {
    return returned * tasks * (oneProcess ? 5 : 3)
        + sent * 2
        + frozen * (oneProcess ? 1 : 2)
        + exchanged;
  }

  /**
   * Checks it against limits.
   *
   * @param results most bytes that all tasks may return; 0: no limit
   * @param limit the setting that says so
   */
  void check(long results, String limit, long heap) {
    if (results > 0 && returned * tasks > results) {
      throw new BadSettingsException(
          "What tasks return takes %d times %,d MB, more than %s lets through (%,d MB); raise it, or"
              + " train adapters or fewer parameters.",
          tasks, returned / 1_000_000, limit, results / 1_000_000);
    }
    if (heap() > heap) {
      throw new BadSettingsException(
          "What tasks return takes %d times %,d MB, and what they are sent %,d MB, for which the"
              + " driver's heap of %,d MB is too small; give it %,d MB (-Xmx, or"
              + " spark.driver.memory), or train adapters or fewer parameters.",
          tasks,
          returned / 1_000_000,
          (sent + frozen) / 1_000_000,
          heap / 1_000_000,
          heap() * 5 / 4 / 1_000_000);
    }
  }
}

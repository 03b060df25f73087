package org.tokentune.spark;

import java.util.List;
import org.tokentune.BadSettingsException;
import org.tokentune.nn.Parameters;

/**
 * What a training takes on the driver, and on executors that exchange gradients, in bytes. Spark
 * would end a job that takes more, or lose a result and wait, with no hint of what to do.
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
    if (options.direct()) { // one task returns all
      long all = values + state;
      long exchanged = oneProcess ? options.tasks() * gradientsHeld(values, options) : 0;
      return new DriverLoad(all, all, frozen, 1, exchanged, oneProcess);
    }
    long gradients = gradients(values, options);
    return new DriverLoad(values, gradients, frozen, options.tasks(), 0, oneProcess);
  }

  /** Bytes of the gradients of parameters as they travel. */
  private static long gradients(long values, SparkSteps.Options options) {
    return options.precision() == GradientPrecision.FLOAT32 ? values : values / 2;
  }

  /** Bytes of a task that exchanges gradients: its own, those of others, and sums. */
  private static long gradientsHeld(long values, SparkSteps.Options options) {
    return 2 * gradients(values, options) + values / options.tasks();
  }

  /**
   * Checks the heap of executors whose tasks exchange gradients: what they are sent, serialised and
   * read, and what one of them returns, made, serialised, and in Spark's message.
   *
   * @param state bytes of the optimizer's
   * @param heap bytes of an executor
   * @param setting that says so
   */
  static void checkExecutor(
      long values, long state, SparkSteps.Options options, long heap, String setting) {
    long needed = 5 * (values + state) + gradientsHeld(values, options);
    if (needed > heap) {
      throw new BadSettingsException(
          "%s is %,d MB, and a task that exchanges gradients needs %,d MB of heap for values, the"
              + " optimizer's state and gradients; raise it, train adapters or fewer parameters, or leave"
              + " exchange at spark.",
          setting, heap / 1_000_000, needed * 5 / 4 / 1_000_000);
    }
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

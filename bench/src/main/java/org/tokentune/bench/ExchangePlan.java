package org.tokentune.bench;

/**
 * What training on Spark takes on an executor and on the wire, in bytes. Spark's own frames and
 * compression are not counted.
 *
 * @param frozen weights that do not train, sent to every executor once
 * @param trained weights that train
 * @param optimizerState that the driver keeps
 * @param executor memory of an executor where the driver makes the updates: weights, sums of
 *     gradients and its part of a step
 * @param executors each with one task
 */
public record ExchangePlan(
    TuningMethod method,
    long frozen,
    long trained,
    long optimizerState,
    long executor,
    int executors) {

  /** Sent by the driver in a step: what trains, to every executor. */
  public long sent() {
    return trained * executors;
  }

  /**
   * Returned to the driver in a step: the gradients of every task.
   *
   * @param bits of a gradient, 16 or 32
   */
  public long returned(int bits) {
    return trained * executors * bits / Float.SIZE;
  }

  /**
   * Memory of an executor if tasks make the updates: it also holds values of its task's own, and
   * the optimizer's state.
   */
  public long averagingExecutor() {
    return executor + trained + optimizerState;
  }

  /**
   * Both directions in a step, on average, if tasks make the updates and values and optimizer state
   * are averaged every few steps.
   */
  public long averaged(int steps) {
    return 2L * executors * (trained + optimizerState) / steps;
  }

  /**
   * Memory of an executor whose task exchanges gradients with the others: beside values of its own
   * and the optimizer's state, its gradients and those of others in its slice on their way, and the
   * slice's sums.
   *
   * @param bits of a gradient, 16 or 32
   */
  public long exchangingExecutor(int bits) {
    return averagingExecutor() + 2 * trained * bits / Float.SIZE + trained / executors;
  }

  /**
   * From task to task in a step: gradients to the owners of their slices, and the sums, of 32 bits,
   * from there to all others.
   *
   * @param bits of a gradient, 16 or 32
   */
  public long exchanged(int bits) {
    return (executors - 1) * trained * (bits + Float.SIZE) / Float.SIZE;
  }

  /**
   * Seconds that so many bytes take on a link.
   *
   * @param gigabits a second
   */
  public static double seconds(long bytes, double gigabits) {
    return 8 * bytes / (gigabits * 1e9);
  }
}

package org.tokentune.spark;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * A task's share in a step.
 *
 * @param part its number among the shares of the step
 * @param batches in order
 */
record Share(Attempt attempt, int part, List<Batch> batches) implements Serializable {

  /**
   * Identifies one attempt at a step, so that no result is taken for one of another.
   *
   * @param run identifies the run
   * @param step from 0
   * @param number from 1
   */
  record Attempt(String run, int step, int number) implements Serializable {}

  /**
   * A batch.
   *
   * @param factor of its loss and gradients in the step
   */
  record Batch(Map<String, SentArray> inputs, double factor) implements Serializable {}

  /**
   * What a task returns.
   *
   * @param losses of its batches, up to the first that is not finite
   * @param gradients weighted sums by the number of the parameter, in the order in which they came
   * @param problem why the batches cannot be run, for the user; null if they could
   */
  record Result(
      Attempt attempt, int part, double[] losses, Map<Integer, byte[]> gradients, String problem)
      implements Serializable {

    long bytes() {
      return gradients.values().stream().mapToLong(array -> array.length).sum();
    }
  }

  long bytes() {
    return batches.stream()
        .flatMap(batch -> batch.inputs().values().stream())
        .mapToLong(array -> array.bytes().length)
        .sum();
  }
}

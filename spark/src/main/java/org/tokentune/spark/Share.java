package org.tokentune.spark;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * A task's share in a step, or in the steps of a round.
 *
 * @param part its number among the shares
 * @param steps one of them; several if the task makes their updates itself
 */
record Share(Attempt attempt, int part, List<Step> steps) implements Serializable {

  /**
   * Identifies one attempt at a step, so that no result is taken for one of another.
   *
   * @param run identifies the run
   * @param step from 0
   * @param number from 1
   */
  record Attempt(String run, int step, int number) implements Serializable {}

  /**
   * The batches of a step.
   *
   * @param batches in order
   * @param learningRate of the update, if the task makes it
   */
  record Step(List<Batch> batches, double learningRate) implements Serializable {}

  /**
   * A batch.
   *
   * @param factor of its loss and gradients in the update
   */
  record Batch(Map<String, SentArray> inputs, double factor) implements Serializable {}

  /**
   * What a task that exchanges gradients has to say of it.
   *
   * @param digest of the values and the optimizer's state afterwards, which all tasks have
   * @param received bytes from other tasks
   * @param nanos that the steps took
   */
  record Exchanged(long digest, long received, long nanos) implements Serializable {}

  /**
   * What a task returns.
   *
   * @param losses of the batches of every step, up to the first that is not finite
   * @param updated whether the task made the update of a step, by step; of a step that the driver
   *     updates, whether all losses are finite
   * @param gradients weighted sums by the number of the parameter, in the order in which they came
   * @param trained the values and the optimizer's state afterwards; null if the driver updates, or
   *     another task returns the same
   * @param exchanged what else there is to say if tasks exchange gradients; null if they do not
   * @param problem why the batches cannot be run, for the user; null if they could
   * @param again whether another attempt may do better
   */
  record Result(
      Attempt attempt,
      int part,
      List<double[]> losses,
      List<Boolean> updated,
      Map<Integer, byte[]> gradients,
      Values trained,
      Exchanged exchanged,
      String problem,
      boolean again)
      implements Serializable {

    /**
     * The result of a share that cannot be run.
     *
     * @param again whether another attempt may do better
     */
    static Result failed(Share share, String problem, boolean again) {
      return new Result(
          share.attempt(),
          share.part(),
          List.of(),
          List.of(),
          Map.of(),
          null,
          null,
          problem,
          again);
    }

    long bytes() {
      return gradients.values().stream().mapToLong(array -> array.length).sum()
          + (trained == null ? 0 : trained.bytes());
    }
  }

  long bytes() {
    return steps.stream()
        .flatMap(step -> step.batches().stream())
        .flatMap(batch -> batch.inputs().values().stream())
        .mapToLong(array -> array.bytes().length)
        .sum();
  }
}

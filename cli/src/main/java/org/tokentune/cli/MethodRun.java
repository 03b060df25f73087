package org.tokentune.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.tokentune.objectives.Metric;

/**
 * A training by a method, of a task, with a seed.
 *
 * @param task name
 * @param method name
 * @param seed of the training
 * @param metric what the score is
 * @param score on the task's test rows; null if the training did not end
 * @param seconds of the training and the evaluation
 * @param megabytes of weights, gradients, optimizer state and the largest step, as planned before
 *     it and checked after it; 0 if nothing was trained
 * @param message why it did not end; empty if it did
 */
record MethodRun(
    @JsonProperty("task") String task,
    @JsonProperty("method") String method,
    @JsonProperty("seed") long seed,
    @JsonProperty("metric") Metric metric,
    @JsonProperty("score") Double score,
    @JsonProperty("seconds") double seconds,
    @JsonProperty("megabytes") double megabytes,
    @JsonProperty("message") String message) {

  /** Whether it has a score. */
  boolean ended() {
    return score != null;
  }

  /**
   * Memory of a training's largest step with everything that stays between steps.
   *
   * @param result of {@code train --json}
   */
  static double megabytes(JsonNode result) {
    double bytes = 0;
    for (String part : List.of("predicted", "parameters", "optimizer_state")) {
      bytes += result.path("memory").path(part).asDouble();
    }
    return bytes / 1e6;
  }
}

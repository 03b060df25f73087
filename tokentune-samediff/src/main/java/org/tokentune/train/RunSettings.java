package org.tokentune.train;

import java.nio.file.Path;
import java.util.List;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.Checkpoints;
import org.tokentune.objectives.Metric;

/**
 * Evaluation, checkpoints and error handling of a training run.
 *
 * @param evaluateEvery steps between two evaluations; 0: after every epoch
 * @param patience evaluations in a row without a better score after which the training ends; 0: it
 *     always runs to its last step
 * @param metrics whose mean decides which evaluation is best; if none, accuracy for classes,
 *     squared error for numbers, and loss for language models and answers
 * @param onNan what to do if a loss or its gradients are not finite
 * @param saveEvery steps between two checkpoints; 0: none are written
 * @param checkpoints the folder they are written to, or null
 * @param resume the checkpoint to resume from, or null
 */
public record RunSettings(
    int evaluateEvery,
    int patience,
    List<Metric> metrics,
    OnNan onNan,
    int saveEvery,
    Checkpoints checkpoints,
    Path resume) {

  /** What to do if a loss or its gradients are not finite; there is no update in either case. */
  public enum OnNan {
    /** End the training with an error that names the rows of the batch. */
    STOP,
    /** Skip and count the step. */
    SKIP
  }

  public RunSettings {
    metrics = List.copyOf(metrics);
    if (metrics.contains(Metric.MEAN_SQUARED_ERROR)) {
      throw new IllegalArgumentException("of an error less is better, not more");
    }
    atLeast0("evaluations", evaluateEvery);
    atLeast0("checkpoints", saveEvery);
    if (patience < 0) {
      throw new BadInputException("The patience is %d evaluations; give 1 or more.", patience);
    }
    if (saveEvery > 0 && checkpoints == null) {
      throw new IllegalArgumentException("checkpoints need a folder");
    }
  }

  private static void atLeast0(String what, int steps) {
    if (steps < 0) {
      throw new BadInputException(
          "The number of steps between %s is %d; give 1 or more.", what, steps);
    }
  }

  /**
   * Defaults: evaluation after every epoch, no checkpoints, and an error at the first loss that is
   * NaN.
   */
  public static RunSettings defaults() {
    return new RunSettings(0, 0, List.of(), OnNan.STOP, 0, null, null);
  }
}

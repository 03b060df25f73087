package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadSettingsException;
import org.tokentune.files.Checkpoints;
import org.tokentune.objectives.Metric;

/**
 * Evaluation, checkpoints and error handling of a training run.
 *
 * @param evaluateEvery steps between two evaluations; 0: after every epoch
 * @param patience evaluations in a row without a better score after which the training ends; 0: it
 *     always runs to its last step
 * @param patienceAfter epochs at the beginning whose evaluations do not count for the patience;
 *     they do count for what is best
 * @param minImprovement by how much a score must be better to count for the patience; the best
 *     weights are kept whatever the difference. 0: any difference counts, and of equal scores the
 *     lower loss
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
    int patienceAfter,
    double minImprovement,
    List<Metric> metrics,
    OnNan onNan,
    int saveEvery,
    Checkpoints checkpoints,
    Path resume) {

  /** What to do if a loss or its gradients are not finite; there is no update in either case. */
  public enum OnNan {
    /** End the training with an error that names the rows of the batch. */
    STOP,
    /** The step is passed over and counted. */
    SKIP;

    /** The name in lower case, as on the command line. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public RunSettings {
    required(metrics, "metrics");
    required(onNan, "onNan");

    metrics = List.copyOf(metrics);
    atLeast0("evaluateEvery", evaluateEvery);
    atLeast0("saveEvery", saveEvery);
    atLeast0("patience", patience);
    atLeast0("patienceAfter", patienceAfter);
    if (!(minImprovement >= 0) || Double.isInfinite(minImprovement)) {
      throw BadSettingsException.of(
          "minImprovement", "must be at least 0 and finite, got %s.", minImprovement);
    }
    if (saveEvery > 0 && checkpoints == null) {
      throw BadSettingsException.of(
          "checkpoints", "must be a folder where saveEvery is %d, got null.", saveEvery);
    }
  }

  private static void atLeast0(String setting, int value) {
    if (value < 0) {
      throw BadSettingsException.of(setting, "must be at least 0, got %d.", value);
    }
  }

  /**
   * Defaults: evaluation after every epoch, no checkpoints, and an error at the first loss that is
   * NaN.
   */
  public static RunSettings defaults() {
    return new RunSettings(0, 0, 0, 0, List.of(), OnNan.STOP, 0, null, null);
  }

  /** The same with an evaluation every so many steps; 0: after every epoch. */
  public RunSettings withEvaluateEvery(int steps) {
    return new RunSettings(
        steps,
        patience,
        patienceAfter,
        minImprovement,
        metrics,
        onNan,
        saveEvery,
        checkpoints,
        resume);
  }

  /** The same, ending after this many evaluations in a row without a better score; 0: never. */
  public RunSettings withPatience(int count) {
    return new RunSettings(
        evaluateEvery,
        count,
        patienceAfter,
        minImprovement,
        metrics,
        onNan,
        saveEvery,
        checkpoints,
        resume);
  }

  /** The same, counting evaluations for the patience only after this many epochs. */
  public RunSettings withPatienceAfter(int epochs) {
    return new RunSettings(
        evaluateEvery,
        patience,
        epochs,
        minImprovement,
        metrics,
        onNan,
        saveEvery,
        checkpoints,
        resume);
  }

  /** The same with another difference from which a score counts as better for the patience. */
  public RunSettings withMinImprovement(double least) {
    return new RunSettings(
        evaluateEvery,
        patience,
        patienceAfter,
        least,
        metrics,
        onNan,
        saveEvery,
        checkpoints,
        resume);
  }

  /** The same with other metrics that say which evaluation is best. */
  public RunSettings withMetrics(List<Metric> others) {
    return new RunSettings(
        evaluateEvery,
        patience,
        patienceAfter,
        minImprovement,
        others,
        onNan,
        saveEvery,
        checkpoints,
        resume);
  }

  /** The same with another reaction to numbers that are not finite. */
  public RunSettings withOnNan(OnNan other) {
    return new RunSettings(
        evaluateEvery,
        patience,
        patienceAfter,
        minImprovement,
        metrics,
        other,
        saveEvery,
        checkpoints,
        resume);
  }

  /** The same, resumed from a training checkpoint; null: from the beginning. */
  public RunSettings withResume(Path checkpoint) {
    return new RunSettings(
        evaluateEvery,
        patience,
        patienceAfter,
        minImprovement,
        metrics,
        onNan,
        saveEvery,
        checkpoints,
        checkpoint);
  }

  /** The same with a training checkpoint every so many steps. */
  public RunSettings withCheckpoints(int steps, Checkpoints folder) {
    return new RunSettings(
        evaluateEvery,
        patience,
        patienceAfter,
        minImprovement,
        metrics,
        onNan,
        steps,
        folder,
        resume);
  }
}

package org.tokentune.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Scores;

/**
 * The progress of a training. The names in the JSON of checkpoints do not depend on those of the
 * components; the same holds for evaluations and scores.
 *
 * @param step steps made
 * @param epoch the current one, from 0
 * @param batch the number of its batches that are done
 * @param losses sum over the steps since the last evaluation, without skipped ones
 * @param lossSteps number of these steps
 * @param skipped skipped steps
 * @param skippedInARow the number of last steps that were skipped
 * @param best the evaluation with the best scores; null before the first
 * @param evaluations all of them
 */
record Progress(
    @JsonProperty("step") int step,
    @JsonProperty("epoch") int epoch,
    @JsonProperty("batch") int batch,
    @JsonProperty("losses") double losses,
    @JsonProperty("loss_steps") int lossSteps,
    @JsonProperty("skipped") int skipped,
    @JsonProperty("skipped_in_a_row") int skippedInARow,
    @JsonProperty("best") EvaluationResult best,
    @JsonProperty("evaluations") List<EvaluationResult> evaluations) {

  static final Progress NONE = new Progress(0, 0, 0, 0, 0, 0, 0, null, List.of());

  Progress {
    evaluations = List.copyOf(evaluations);
  }

  /** Whether the numbers are consistent; a file may have been changed. */
  boolean isConsistent() {
    int before = 0;
    for (EvaluationResult evaluation : evaluations) {
      if (evaluation.step() <= before
          || evaluation.step() > step
          || evaluation.scores() == null
          || evaluation.scores().task() == null) {
        return false;
      }
      before = evaluation.step();
    }
    boolean bestIsOne =
        best == null
            ? evaluations.isEmpty()
            : best.scores() != null
                && evaluations.stream().anyMatch(evaluation -> evaluation.step() == best.step());
    return bestIsOne
        && step >= 0
        && epoch >= 0
        && batch >= 0
        && lossSteps >= 0
        && lossSteps <= step
        && skipped >= 0
        && skipped <= step
        && skippedInARow >= 0
        && skippedInARow <= skipped
        && Double.isFinite(losses);
  }

  /**
   * Whether its step follows from epochs of this number of batches.
   *
   * @param accumulation batches per step
   */
  boolean fits(int batches, int accumulation) {
    int ofEpoch = (batches + accumulation - 1) / accumulation;
    return batch < batches
        && batch % accumulation == 0
        && step == (long) epoch * ofEpoch + batch / accumulation;
  }

  /** The progress after a step that updated the parameters. */
  Progress stepped(double loss, int batches) {
    return new Progress(
        step + 1,
        epoch,
        batch + batches,
        losses + loss,
        lossSteps + 1,
        skipped,
        0,
        best,
        evaluations);
  }

  /** The progress after a skipped step. */
  Progress skipped(int batches) {
    return new Progress(
        step + 1,
        epoch,
        batch + batches,
        losses,
        lossSteps,
        skipped + 1,
        skippedInARow + 1,
        best,
        evaluations);
  }

  /** The progress after the last batch of an epoch. */
  Progress nextEpoch() {
    return new Progress(
        step, epoch + 1, 0, losses, lossSteps, skipped, skippedInARow, best, evaluations);
  }

  /** The evaluation with these scores at this point. */
  EvaluationResult evaluation(Scores scores) {
    return new EvaluationResult(step, epoch + (batch > 0 ? 1 : 0), losses / lossSteps, scores);
  }

  /** The progress after an evaluation, which may be the best. */
  Progress evaluated(EvaluationResult evaluation, boolean isBest) {
    List<EvaluationResult> all = new ArrayList<>(evaluations);
    all.add(evaluation);
    return new Progress(
        step, epoch, batch, 0, 0, skipped, skippedInARow, isBest ? evaluation : best, all);
  }

  /** The scores of all evaluations, lower ones better: the loss if there are no metrics. */
  List<Double> scores(List<Metric> by) {
    return evaluations.stream()
        .map(EvaluationResult::scores)
        .map(scores -> by.isEmpty() ? scores.loss() : -scores.quality(by))
        .toList();
  }

  /**
   * The number of evaluations since the last one that was better than those before it.
   *
   * @param least difference that counts
   * @param after epochs whose evaluations are not counted
   */
  int withoutGain(List<Metric> by, double least, int after) {
    EvaluationResult reference = null;
    int count = 0;
    for (EvaluationResult evaluation : evaluations) {
      boolean gains = evaluation.betterThan(reference, by, least);
      reference = gains ? evaluation : reference;
      count = gains || evaluation.epoch() <= after ? 0 : count + 1;
    }
    return count;
  }
}

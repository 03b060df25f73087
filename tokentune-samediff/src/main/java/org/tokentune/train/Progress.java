package org.tokentune.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import org.tokentune.objectives.Scores;

/**
 * How far a training has come. Checkpoints have these names in their JSON, whatever the components
 * are called; so have those of evaluations and scores.
 *
 * @param step steps made
 * @param epoch the one under way, from 0
 * @param batch batches of it that are done
 * @param losses sum over the steps since the last evaluation that were not passed over
 * @param lossSteps number of these steps
 * @param skipped steps that were passed over
 * @param skippedInARow as many of the last ones
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

  /** Whether its numbers can be those of a training; what is read may have been changed. */
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
   * Whether its step is the one that epochs of so many batches come to.
   *
   * @param accumulation batches of a step
   */
  boolean fits(int batches, int accumulation) {
    int ofEpoch = (batches + accumulation - 1) / accumulation;
    return batch < batches
        && batch % accumulation == 0
        && step == (long) epoch * ofEpoch + batch / accumulation;
  }

  /** After a step that updated the parameters. */
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

  /** After a step that was passed over. */
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

  /** After the epoch's last batch. */
  Progress nextEpoch() {
    return new Progress(
        step, epoch + 1, 0, losses, lossSteps, skipped, skippedInARow, best, evaluations);
  }

  /** The evaluation that scores obtained now make. */
  EvaluationResult evaluation(Scores scores) {
    return new EvaluationResult(step, epoch + (batch > 0 ? 1 : 0), losses / lossSteps, scores);
  }

  /** After an evaluation that may be the best. */
  Progress evaluated(EvaluationResult evaluation, boolean isBest) {
    List<EvaluationResult> all = new ArrayList<>(evaluations);
    all.add(evaluation);
    return new Progress(
        step, epoch, batch, 0, 0, skipped, skippedInARow, isBest ? evaluation : best, all);
  }

  /** Evaluations since the best one. */
  int withoutGain() {
    return (int) evaluations.stream().filter(e -> best.step() < e.step()).count();
  }
}

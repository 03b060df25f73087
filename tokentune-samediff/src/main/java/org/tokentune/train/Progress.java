package org.tokentune.train;

import java.util.ArrayList;
import java.util.List;

/**
 * How far a training has come.
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
    int step,
    int epoch,
    int batch,
    double losses,
    int lossSteps,
    int skipped,
    int skippedInARow,
    Evaluation best,
    List<Evaluation> evaluations) {

  static final Progress NONE = new Progress(0, 0, 0, 0, 0, 0, 0, null, List.of());

  Progress {
    evaluations = List.copyOf(evaluations);
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
  Evaluation evaluation(Scores scores) {
    return new Evaluation(step, epoch + (batch > 0 ? 1 : 0), losses / lossSteps, scores);
  }

  /** After an evaluation. */
  Progress evaluated(Evaluation evaluation) {
    List<Evaluation> all = new ArrayList<>(evaluations);
    all.add(evaluation);
    Evaluation better = evaluation.betterThan(best) ? evaluation : best;
    return new Progress(step, epoch, batch, 0, 0, skipped, skippedInARow, better, all);
  }

  /** Evaluations since the best one. */
  int withoutGain() {
    return (int) evaluations.stream().filter(e -> best.step() < e.step()).count();
  }
}

package org.tokentune.notebook;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.tokentune.train.EvaluationResult;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.StepReport;

/** Shows how far a training is, in one line that changes, and keeps the losses. */
public final class Progress implements FineTuningListener {

  private static final long LEAST_MILLISECONDS = 500;

  private final Consumer<String> line;
  private final List<Double> losses = new ArrayList<>();
  private final List<Double> evaluatedAt = new ArrayList<>();
  private final List<Double> validationLosses = new ArrayList<>();
  private String evaluated = "";
  private long shown;

  /**
   * A training's progress.
   *
   * @param line shows a line in place of the one before, e.g. {@code text -> updateDisplay(id,
   *     text)}
   */
  public Progress(Consumer<String> line) {
    required(line, "line");

    this.line = line;
  }

  @Override
  public void onStep(StepReport step) {
    losses.add(step.loss());
    long now = System.currentTimeMillis();
    if (step.step() == step.steps() || now - shown >= LEAST_MILLISECONDS) {
      shown = now;
      line.accept(
          String.format(
              Locale.ROOT,
              "step %d of %d, loss %.3f%s",
              step.step(),
              step.steps(),
              step.loss(),
              evaluated));
    }
  }

  @Override
  public void onEvaluation(EvaluationResult evaluation) {
    evaluatedAt.add((double) losses.size());
    validationLosses.add(evaluation.scores().loss());
    evaluated =
        String.format(
            Locale.ROOT,
            "; after epoch %d validation loss %.3f",
            evaluation.epoch(),
            evaluation.scores().loss());
    line.accept(String.format(Locale.ROOT, "step %d%s", losses.size(), evaluated));
  }

  /** The loss over the validation rows, at each step after which it was computed. */
  public Charts.Line validation() {
    return new Charts.Line(values(evaluatedAt), values(validationLosses));
  }

  private static double[] values(List<Double> list) {
    return list.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** The steps' losses, so far, each the mean of up to {@code window} steps. */
  public Charts.Line training(int window) {
    double[] means = new double[losses.size()];
    for (int i = 0; i < means.length; i++) {
      List<Double> last = losses.subList(Math.max(0, i + 1 - window), i + 1);
      means[i] = last.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }
    return Charts.Line.of(means);
  }
}

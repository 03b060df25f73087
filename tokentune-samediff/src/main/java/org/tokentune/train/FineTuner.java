package org.tokentune.train;

import java.util.List;
import java.util.function.Predicate;
import org.tokentune.BadInputException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.select.TokenSelector;

/**
 * Fine-tuning: steps of an optimizer at the schedule's rates and, where asked, of gradients clipped
 * by their global norm; the weights that validate best are kept.
 */
public final class FineTuner {

  private final TransformerModel model;
  private final Parameters parameters;
  private final Predicate<String> trainable;
  private final TokenSelector selector;
  private final Hyperparameters settings;
  private final RunSettings run;
  private final FineTuningListener listener;
  private volatile boolean stopped;

  /**
   * What a training came to.
   *
   * @param steps that were made, those before it was resumed among them
   * @param bestStep after which the weights that were kept were; where it was stopped before the
   *     first evaluation, the last
   * @param epoch in which that was, from 1; 0 if it was stopped before the first evaluation
   * @param best scores of the kept weights on the validation rows
   * @param evaluations all of them, in their order
   * @param stopped whether {@link #stop} ended it
   * @param early whether it ended because no evaluation was better for so long
   * @param skipped steps without update, as the loss or its gradients were not finite
   * @param memory of the largest step, as planned; null without a step
   * @param arenaBytes of the steps' arena, as allocated
   */
  public record Outcome(
      int steps,
      int bestStep,
      int epoch,
      Scores best,
      List<EvaluationResult> evaluations,
      boolean stopped,
      boolean early,
      int skipped,
      StepMemoryReport memory,
      long arenaBytes) {}

  /**
   * @param parameters changed in place
   * @param trainable which of them, by name
   */
  public FineTuner(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      TokenSelector selector,
      Hyperparameters settings,
      RunSettings run,
      FineTuningListener listener) {
    this.model = model;
    this.parameters = parameters;
    this.trainable = trainable;
    this.selector = selector;
    this.settings = settings;
    this.run = run;
    this.listener = listener;
  }

  /** Ends the training after the step under way, from any thread. */
  public void stop() {
    stopped = true;
  }

  /**
   * Trains.
   *
   * @throws BadInputException if the loss is no longer finite, or a checkpoint cannot be read or
   *     written
   */
  public Outcome fit(TrainingData data) {
    try (Evaluator evaluator = new Evaluator(model, parameters, data.rowName());
        TrainingSteps steps = new TrainingSteps(model, parameters, trainable, selector, settings)) {
      TrainedState state = new TrainedState(parameters, trainable, steps.optimizer());
      Fingerprint fingerprint =
          run.saveEvery() > 0 || run.resume() != null
              ? Fingerprint.of(model, parameters, settings, run, data.identity().get())
              : null;
      return new TrainingRun(data, settings, run, listener, () -> stopped)
          .fit(steps, evaluator, state, fingerprint);
    }
  }
}

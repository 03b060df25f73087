package org.tokentune.train;

import static java.util.stream.Collectors.joining;
import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.models.Head;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Scores;
import org.tokentune.select.TokenSelector;

/**
 * Fine-tunes a model from the first step or from a training checkpoint: makes {@link TrainingStep}s
 * at the learning rates of the schedule, evaluates, and keeps the weights with the best validation
 * score. Can be used once.
 */
public final class Trainer {

  /** After this many steps in a row without update, the weights themselves must be broken. */
  private static final int MOST_SKIPPED = 10;

  private final TransformerModel model;
  private final Parameters parameters;
  private final Predicate<String> trainable;
  private final TokenSelector selector;
  private final Hyperparameters settings;
  private final RunSettings run;
  private final FineTuningListener listener;
  private TrainingData data;
  private Progress progress = Progress.NONE;

  /**
   * The result of a training.
   *
   * @param steps made, including those before it was resumed
   * @param bestStep of the weights that were kept; the last step if it was stopped before the first
   *     evaluation, or there are no validation rows
   * @param epoch of this step, from 1; 0 if it was stopped before the first evaluation
   * @param best scores of the kept weights on the validation rows; null if there are none
   * @param evaluations all evaluations, in order
   * @param stopped whether a listener stopped it
   * @param early whether it ended because its patience ran out
   * @param skipped steps without update, because the loss or its gradients were not finite
   * @param memory of the largest step, as planned; null if there was no step
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
   * @param trainable the names of those that train
   */
  public Trainer(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      TokenSelector selector,
      Hyperparameters settings,
      RunSettings run,
      FineTuningListener listener) {
    required(model, "model");
    required(parameters, "parameters");
    required(trainable, "trainable");
    required(selector, "selector");
    required(settings, "settings");
    required(run, "run");
    required(listener, "listener");

    this.model = model;
    this.parameters = parameters;
    this.trainable = trainable;
    this.selector = selector;
    this.settings = settings;
    this.run = run;
    this.listener = listener;
  }

  /**
   * Trains.
   *
   * @throws BadInputException if the loss is no longer finite, or a checkpoint cannot be read or
   *     written
   */
  public Outcome fit(TrainingData trainingData) {
    return fit(trainingData, LocalStep::new);
  }

  /**
   * Trains.
   *
   * @param steps creates what makes the steps
   * @throws BadInputException as {@link #fit(TrainingData)}
   */
  public Outcome fit(TrainingData trainingData, TrainingStep.Factory steps) {
    required(trainingData, "trainingData");
    required(steps, "steps");

    checkMetrics();
    data = trainingData;
    if (data.validation() == null && (run.patience() > 0 || run.evaluateEvery() > 0)) {
      throw new BadSettingsException(
          "Without validation rows there is nothing to evaluate or to be patient about; leave patience"
              + " and evaluateEvery at 0, or give validation rows.");
    }
    try (Evaluator evaluator = new Evaluator(model, parameters, data.rowName());
        TrainingStep step = steps.create(model, parameters, trainable, selector, settings)) {
      if (step.dependsOnStretches() && run.onNan() == RunSettings.OnNan.SKIP) {
        throw new BadSettingsException(
            "Of %d steps that are made at once none can be passed over (onNan: skip); make one at a"
                + " time, or let the training end (onNan: stop).",
            step.stretch());
      }
      TrainedState state = new TrainedState(parameters, trainable, step.optimizer());
      Fingerprint fingerprint =
          run.saveEvery() > 0 || run.resume() != null
              ? Fingerprint.of(model, parameters, settings, run, step, data.identity().get())
              : null;
      return fit(step, evaluator, state, fingerprint);
    }
  }

  /**
   * @param fingerprint of the training; null if no checkpoint is read or written
   */
  private Outcome fit(
      TrainingStep training, Evaluator evaluator, TrainedState state, Fingerprint fingerprint) {
    Survey survey = survey(training);
    listener.onPlan(training.memory());
    int steps = settings.steps(survey.batches());
    if (run.resume() != null) {
      progress = state.read(run.resume(), fingerprint);
      boolean fits = survey.stream() || progress.fits(survey.batches(), settings.accumulation());
      if (progress.step() > steps || !fits) {
        throw new BadFileException(
            "%s is damaged: step %d, epoch %d, batch %d is not a position in a training of %d steps;"
                + " resume from another checkpoint, or start over.",
            run.resume(), progress.step(), progress.epoch(), progress.batch(), steps);
      }
      listener.onResume(progress.step());
    }
    while (goesOn(steps)) {
      MultiDataSetIterator batches = data.batches().apply(progress.epoch());
      listener.onEpochStart(progress.epoch() + 1);
      for (int done = 0; done < progress.batch(); done++) {
        batches.next();
      }
      while (batches.hasNext() && goesOn(steps)) {
        if (!stretch(batches, training, steps)) {
          break;
        }
        boolean last = progress.step() == steps;
        if (evaluates(last, progress.batch() == 0)) {
          evaluate(evaluator, state, last);
        }
        if (run.saveEvery() > 0 && progress.step() % run.saveEvery() == 0) {
          state.write(run.checkpoints(), fingerprint, progress);
        }
      }
    }
    if (run.saveEvery() > 0 && listener.stops()) {
      state.write(run.checkpoints(), fingerprint, progress);
    }
    boolean early = endsEarly();
    EvaluationResult best = progress.best();
    if (data.validation() == null) {
      int epoch = progress.epoch() + (progress.batch() > 0 ? 1 : 0);
      best = new EvaluationResult(progress.step(), epoch, Double.NaN, null);
    } else if (best == null) {
      best =
          new EvaluationResult(
              progress.step(), 0, Double.NaN, evaluator.evaluate(data.validation()));
    } else {
      state.putBack();
    }
    return new Outcome(
        progress.step(),
        best.step(),
        best.epoch(),
        best.scores(),
        progress.evaluations(),
        listener.stops(),
        early,
        progress.skipped(),
        training.memory(),
        training.arenaBytes());
  }

  private void checkMetrics() {
    Head head = model.head();
    for (Metric metric : run.metrics()) {
      Set<Metric> known = head.task().tally(head.outputs()).metrics();
      if (metric != Metric.LOSS && !known.contains(metric)) {
        throw BadSettingsException.of(
            "metrics",
            "must be loss%s for this training, got %s.",
            known.stream().sorted().map(one -> " or " + one.title()).collect(joining()),
            metric.title());
      }
    }
  }

  private boolean goesOn(int steps) {
    return progress.step() < steps && !listener.stops() && !endsEarly();
  }

  private boolean endsEarly() {
    return run.patience() > 0
        && progress.withoutGain(run.metrics(), run.minImprovement(), run.patienceAfter())
            >= run.patience();
  }

  private boolean evaluates(boolean last, boolean epochEnds) {
    if (data.validation() == null) {
      return false;
    }
    return last
        || (run.evaluateEvery() == 0 ? epochEnds : progress.step() % run.evaluateEvery() == 0);
  }

  /**
   * Makes the steps that are made at once; returns false if they failed in a training that is being
   * stopped, as what makes them may be stopped, too.
   */
  private boolean stretch(MultiDataSetIterator batches, TrainingStep training, int steps) {
    long start = System.nanoTime();
    List<TrainingStep.Work> work = new ArrayList<>();
    int batch = progress.batch();
    int step = progress.step();
    do {
      List<MultiDataSet> together = next(batches);
      double rate =
          settings
              .schedule()
              .rate(
                  settings.learningRate(),
                  step,
                  steps,
                  progress.epoch(),
                  progress.scores(run.metrics()));
      work.add(
          new TrainingStep.Work(
              together,
              new TrainingStep.Position(progress.epoch(), batch, step, settings.seed()),
              rate));
      batch += together.size();
      step++;
    } while (batches.hasNext() && step < steps && !endsStretch(step, training.stretch()));
    for (int made = 0; made < work.size(); ) { // again after a step that is passed over
      List<TrainingStep.Work> rest = work.subList(made, work.size());
      List<TrainingStep.Result> results;
      try {
        results = training.run(rest);
      } catch (BadInputException e) {
        if (listener.stops()) {
          Warnings.warn(
              "The training stops before step %d, which failed: %s",
              progress.step() + 1, e.getMessage());
          return false;
        }
        throw e;
      }
      made += results.size();
      double seconds = (System.nanoTime() - start) / 1e9 / results.size();
      start = System.nanoTime();
      for (int i = 0; i < results.size(); i++) {
        count(rest.get(i), results.get(i), steps, seconds);
      }
    }
    if (!batches.hasNext()) {
      progress = progress.nextEpoch();
      listener.onEpochEnd(progress.epoch());
    }
    return true;
  }

  /** Whether the step after this many must wait for the results of those before it. */
  private boolean endsStretch(int step, int stretch) {
    return step % stretch == 0
        || (run.saveEvery() > 0 && step % run.saveEvery() == 0)
        || (run.evaluateEvery() > 0 && step % run.evaluateEvery() == 0);
  }

  private void count(
      TrainingStep.Work work, TrainingStep.Result result, int steps, double seconds) {
    List<String> broken = names(result.nonFinite());
    StepReport report =
        new StepReport(
            progress.step() + 1,
            steps,
            progress.epoch() + 1,
            result.loss(),
            work.learningRate(),
            result.tokens(),
            seconds,
            broken,
            result.metrics());
    int batches = work.batches().size();
    progress =
        broken.isEmpty() ? progress.stepped(result.loss(), batches) : progress.skipped(batches);
    listener.onStep(report);
    if (!broken.isEmpty()) {
      passOver(report);
    }
  }

  private void passOver(StepReport report) {
    if (run.onNan() == RunSettings.OnNan.SKIP && progress.skippedInARow() < MOST_SKIPPED) {
      return;
    }
    String what =
        Double.isFinite(report.loss())
            ? "norm of the gradients is not finite"
            : "loss is " + report.loss();
    if (run.onNan() == RunSettings.OnNan.SKIP) {
      throw new BadInputException(
          "The %s at step %d, the last of %d in a row: the weights are broken; lower the learning"
              + " rate, or resume from an earlier checkpoint.",
          what, report.step(), MOST_SKIPPED);
    }
    throw new BadInputException(
        "The %s at step %d of learning rate %.2g, on %s; lower the learning rate, look for broken rows or weights, or skip these steps (onNan: skip).",
        what, report.step(), report.learningRate(), String.join(", ", report.broken()));
  }

  private List<String> names(List<MultiDataSet> batches) {
    List<String> names = new ArrayList<>();
    for (MultiDataSet batch : batches) {
      int[][] ids = batch.getFeatures(0).toIntMatrix();
      int[] lengths = batch.getFeatures(1).sum(1).toIntVector();
      for (int row = 0; row < ids.length; row++) {
        names.add(data.rowName().apply(Arrays.copyOf(ids[row], lengths[row])));
      }
    }
    return names;
  }

  private void evaluate(Evaluator evaluator, TrainedState state, boolean last) {
    EvaluationResult evaluation = progress.evaluation(evaluator.evaluate(data.validation()));
    boolean isBest = evaluation.betterThan(progress.best(), run.metrics());
    if (isBest) {
      if (last) {
        state.keepLast();
      } else {
        state.keep();
      }
    }
    progress = progress.evaluated(evaluation, isBest);
    listener.onEvaluation(evaluation);
  }

  /** The batches of a step. */
  private List<MultiDataSet> next(MultiDataSetIterator batches) {
    List<MultiDataSet> together = new ArrayList<>();
    while (together.size() < settings.accumulation() && batches.hasNext()) {
      together.add(batches.next());
    }
    return together;
  }

  /**
   * The extent of an epoch.
   *
   * @param batches their number; for a stream, at most one is counted
   */
  private record Survey(int batches, boolean stream) {}

  /**
   * Counts the batches of an epoch, and checks that the one with the longest texts can be planned.
   */
  private Survey survey(TrainingStep training) {
    MultiDataSetIterator batches = data.batches().apply(0);
    int count = 0;
    int longest = 0;
    MultiDataSet largest = null;
    boolean stream = !batches.resetSupported();
    if (stream && settings.steps() == 0) {
      throw new BadSettingsException(
          "The length of streamed data is not known before the training; give the number of steps.");
    }
    for (; batches.hasNext() && !(stream && count == 1); count++) {
      MultiDataSet batch = batches.next();
      if (largest == null || batch.getFeatures(0).length() > largest.getFeatures(0).length()) {
        largest = batch;
        longest = count;
      }
    }
    if (largest == null) {
      throw new BadDataException("There are no training rows; give some.");
    }
    training.check(largest, new TrainingStep.Position(0, longest, 0, settings.seed()));
    return new Survey(count, stream);
  }
}

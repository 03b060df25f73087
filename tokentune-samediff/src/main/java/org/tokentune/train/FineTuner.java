package org.tokentune.train;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadInputException;
import org.tokentune.models.Model;
import org.tokentune.nn.Parameters;
import org.tokentune.select.TokenSelector;

/**
 * Fine-tuning: steps of an optimizer at the schedule's rates and, where asked, of gradients clipped
 * by their global norm; the weights of the epoch that validates best are kept. Batches are {@code
 * MultiDataSet}s of ids, attention mask and token types, INT32 [batch, length], padded on the
 * right, and labels.
 */
public final class FineTuner {

  private final Model model;
  private final Parameters parameters;
  private final Predicate<String> trainable;
  private final TokenSelector selector;
  private final Hyperparameters settings;
  private final TrainingListener listener;
  private volatile boolean stopped;

  /**
   * What a training came to.
   *
   * @param steps that were made
   * @param epoch whose weights were kept, from 1; 0 if it was stopped before the first ended
   * @param best scores of the kept weights on the validation rows
   * @param stopped whether it was stopped early
   * @param memory of the largest step, as planned; null if it was stopped before the first
   * @param arenaBytes of the steps' arena, as allocated
   */
  public record Outcome(
      int steps, int epoch, Scores best, boolean stopped, MemoryReport memory, long arenaBytes) {}

  /**
   * @param parameters changed in place
   * @param trainable which of them, by name
   */
  public FineTuner(
      Model model,
      Parameters parameters,
      Predicate<String> trainable,
      TokenSelector selector,
      Hyperparameters settings,
      TrainingListener listener) {
    this.model = model;
    this.parameters = parameters;
    this.trainable = trainable;
    this.selector = selector;
    this.settings = settings;
    this.listener = listener;
  }

  /** Ends the training after the step under way, from any thread. */
  public void stop() {
    stopped = true;
  }

  /**
   * Trains.
   *
   * @param batches an epoch's batches, by its number from 0; the same number of them in each. Of a
   *     stream, which cannot be reset, the first batch is taken for the largest, and the settings
   *     must say how many steps there are.
   * @param validation batches to validate on after every epoch
   * @throws BadInputException if the loss is no longer finite
   */
  public Outcome fit(IntFunction<MultiDataSetIterator> batches, MultiDataSetIterator validation) {
    try (Evaluator evaluator = new Evaluator(model, parameters);
        TrainingSteps training =
            new TrainingSteps(model, parameters, trainable, selector, settings)) {
      return fit(batches, validation, training, evaluator);
    }
  }

  private Outcome fit(
      IntFunction<MultiDataSetIterator> batches,
      MultiDataSetIterator validation,
      TrainingSteps training,
      Evaluator evaluator) {
    int steps = settings.steps(survey(batches.apply(0), training));
    Map<String, INDArray> kept = null;
    Scores best = null;
    int bestEpoch = 0;
    int step = 0;
    for (int epoch = 0; step < steps && !stopped; epoch++) {
      MultiDataSetIterator iterator = batches.apply(epoch);
      int first = step;
      double losses = 0;
      for (int batch = 0; iterator.hasNext() && step < steps && !stopped; ) {
        List<MultiDataSet> together = next(iterator);
        double rate = settings.schedule().rate(settings.learningRate(), step, steps);
        double loss = training.step(together, epoch, batch, step, rate);
        losses += loss;
        batch += together.size();
        step++;
        listener.onStep(step, steps, loss, tokens(together));
      }
      if (stopped && best != null) {
        break; // a broken epoch does not replace a whole one
      }
      Scores scores = evaluator.evaluate(validation);
      if (best == null || scores.quality() > best.quality()) {
        best = scores;
        bestEpoch = stopped ? 0 : epoch + 1;
        kept = step < steps ? copy() : null;
      }
      if (!stopped) {
        listener.onEpoch(epoch + 1, losses / (step - first), scores);
      }
    }
    if (kept != null) {
      kept.forEach((name, array) -> parameters.get(name).assign(array));
    }
    return new Outcome(step, bestEpoch, best, stopped, training.memory(), training.arenaBytes());
  }

  /** The batches of a step. */
  private List<MultiDataSet> next(MultiDataSetIterator iterator) {
    List<MultiDataSet> together = new ArrayList<>();
    while (together.size() < settings.accumulation() && iterator.hasNext()) {
      together.add(iterator.next());
    }
    return together;
  }

  private static long tokens(List<MultiDataSet> batches) {
    return batches.stream().mapToLong(b -> b.getFeatures(1).sumNumber().longValue()).sum();
  }

  /** Counts an epoch's batches, and sees to it that the one of the longest texts can be planned. */
  private int survey(MultiDataSetIterator batches, TrainingSteps training) {
    int count = 0;
    int longest = 0;
    MultiDataSet largest = null;
    boolean stream = !batches.resetSupported();
    if (stream && settings.steps() == 0) {
      throw new BadInputException(
          "Streamed data are not counted before they are trained on; say how many steps to make.");
    }
    for (; batches.hasNext() && !(stream && count == 1); count++) {
      MultiDataSet batch = batches.next();
      if (largest == null || batch.getFeatures(0).length() > largest.getFeatures(0).length()) {
        largest = batch;
        longest = count;
      }
    }
    if (largest == null) {
      throw new BadInputException("There are no training rows; give some.");
    }
    training.check(largest, longest);
    return count;
  }

  private Map<String, INDArray> copy() {
    Map<String, INDArray> copy = new HashMap<>();
    parameters
        .asMap()
        .forEach(
            (name, array) -> {
              if (trainable.test(name)) {
                copy.put(name, array.dup());
              }
            });
    return copy;
  }
}

package org.tokentune.train;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.models.Bert;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Task;
import org.tokentune.nn.Graph;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.Style;
import org.tokentune.plan.BudgetException;
import org.tokentune.plan.Recompute;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;

/**
 * Fine-tuning with AdamW, a linear schedule and, where asked, gradients clipped by their global
 * norm; the weights of the epoch that validates best are kept. Batches are {@code MultiDataSet}s of
 * ids, attention mask and token types, INT32 [batch, length], padded on the right, and labels.
 */
public final class FineTuner {

  private final Bert bert;
  private final Parameters parameters;
  private final Predicate<String> trainable;
  private final TokenSelector selector;
  private final Hyperparameters settings;
  private final TrainingListener listener;
  private final Optimizer optimizer;
  private final Map<Boolean, TrainingEngine> engines = new HashMap<>();
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
      Bert bert,
      Parameters parameters,
      Predicate<String> trainable,
      TokenSelector selector,
      Hyperparameters settings,
      TrainingListener listener) {
    this.bert = bert;
    this.parameters = parameters;
    this.trainable = trainable;
    this.selector = selector;
    this.settings = settings;
    this.listener = listener;
    optimizer = AdamW.forTransformers(parameters, settings.weightDecay());
  }

  /** Ends the training after the step under way, from any thread. */
  public void stop() {
    stopped = true;
  }

  /**
   * Trains.
   *
   * @param batches an epoch's batches, by its number from 0; the same number of them in each
   * @param validation batches to validate on after every epoch
   * @throws BadInputException if the loss is no longer finite
   */
  public Outcome fit(IntFunction<MultiDataSetIterator> batches, MultiDataSetIterator validation) {
    try (Evaluator evaluator = new Evaluator(bert, parameters)) {
      return fit(batches, validation, evaluator);
    } finally {
      engines.values().forEach(TrainingEngine::close);
      engines.clear();
    }
  }

  private Outcome fit(
      IntFunction<MultiDataSetIterator> batches,
      MultiDataSetIterator validation,
      Evaluator evaluator) {
    int perEpoch = survey(batches.apply(0));
    int steps = perEpoch * settings.epochs();
    LinearSchedule schedule =
        new LinearSchedule(
            settings.learningRate(), (int) Math.round(settings.warmup() * steps), steps);
    Map<String, INDArray> kept = null;
    Scores best = null;
    int bestEpoch = 0;
    int step = 0;
    for (int epoch = 0; epoch < settings.epochs() && !stopped; epoch++) {
      MultiDataSetIterator iterator = batches.apply(epoch);
      double losses = 0;
      for (int batch = 0; iterator.hasNext() && !stopped; batch++) {
        MultiDataSet next = iterator.next();
        double loss = step(next, epoch, batch, step, schedule.rate(step));
        losses += loss;
        step++;
        listener.onStep(step, steps, loss, next.getFeatures(1).sumNumber().longValue());
      }
      if (stopped && best != null) {
        break; // a broken epoch does not replace a whole one
      }
      Scores scores = evaluator.evaluate(validation);
      if (best == null || scores.quality() > best.quality()) {
        best = scores;
        bestEpoch = stopped ? 0 : epoch + 1;
        kept = epoch + 1 < settings.epochs() ? copy() : null;
      }
      if (!stopped) {
        listener.onEpoch(epoch + 1, losses / perEpoch, scores);
      }
    }
    if (kept != null) {
      kept.forEach((name, array) -> parameters.get(name).assign(array));
    }
    long arena =
        engines.values().stream().mapToLong(TrainingEngine::arenaBytes).findFirst().orElse(0);
    return new Outcome(step, bestEpoch, best, stopped, memory(), arena);
  }

  private MemoryReport memory() {
    return engines.values().stream()
        .flatMap(engine -> engine.memory(parameters, optimizer).stream())
        .max(Comparator.comparingLong(MemoryReport::total))
        .orElse(null);
  }

  /** Counts an epoch's batches, and sees to it that the one of the longest texts can be planned. */
  private int survey(MultiDataSetIterator batches) {
    int count = 0;
    int longest = 0;
    MultiDataSet largest = null;
    for (; batches.hasNext(); count++) {
      MultiDataSet batch = batches.next();
      if (largest == null || batch.getFeatures(0).length() > largest.getFeatures(0).length()) {
        largest = batch;
        longest = count;
      }
    }
    if (largest == null) {
      throw new BadInputException("There are no training rows; give some.");
    }
    plan(inputs(largest, 0, longest, 0));
    return count;
  }

  private void plan(Map<String, INDArray> inputs) {
    try {
      engineFor(inputs).plan(inputs);
    } catch (BudgetException e) {
      throw tooSmall(e, inputs.get(ModelGraph.INPUT_IDS).shape());
    }
  }

  private BadInputException tooSmall(BudgetException cause, long[] shape) {
    int k = mostTokens(shape[0], shape[1]);
    return new BadInputException(
        cause,
        "A step on %d texts of %d tokens takes at least %.1f MB, whatever is recomputed, and the"
            + " budget is %.1f MB; give more memory, %s.",
        shape[0],
        shape[1],
        cause.least() / 1e6,
        settings.memory() / 1e6,
        k > 0
            ? String.format("at most %d tokens (--tokens %d) or smaller batches", k, k)
            : "smaller batches or shorter texts");
  }

  /** Most selected tokens of each text with which a step is within the budget; 0 if none. */
  private int mostTokens(long batch, long length) {
    int fits = 0;
    int tooMany = (int) length;
    while (tooMany - fits > 1) {
      int k = (fits + tooMany) / 2;
      try {
        engine(true).plan(Placeholders.withoutValues(bert.head(), batch, length, k));
        fits = k;
      } catch (BudgetException e) {
        tooMany = k;
      }
    }
    return fits;
  }

  /** One step on a batch; returns its loss. */
  private double step(MultiDataSet batch, int epoch, int number, int step, double rate) {
    Map<String, INDArray> inputs = inputs(batch, epoch, number, step);
    plan(inputs);
    if (!clips()) {
      optimizer.begin(rate);
    }
    TrainingEngine.Result result = engineFor(inputs).run(inputs);
    check(result.loss(), rate, step);
    if (clips()) {
      GradientClipping.byGlobalNorm(result.gradients(), settings.clip());
      optimizer.step(parameters, result.gradients(), rate);
    }
    return result.loss();
  }

  private Map<String, INDArray> inputs(MultiDataSet batch, int epoch, int number, int step) {
    Map<String, INDArray> inputs = Placeholders.labelled(batch);
    INDArray mask = inputs.get(ModelGraph.ATTENTION_MASK);
    int[] lengths = mask.sum(1).toIntVector();
    int[][] tags = bert.head().perToken() ? inputs.get(ModelGraph.LABELS).toIntMatrix() : null;
    TokenSelection selection =
        selector.select(lengths, (int) mask.size(1), tags, settings.seed(), epoch, number);
    if (!selection.all()) {
      inputs.put(ModelGraph.SELECTED, Nd4j.createFromArray(selection.selected()));
      inputs.put(ModelGraph.FROZEN, Nd4j.createFromArray(selection.frozen()));
    }
    if (engineFor(inputs).hasDropout()) {
      // Mixed by a generator, as neighbouring numbers would give similar masks.
      int seed = (int) new SplittableRandom(settings.seed() * 31 + step).nextLong();
      inputs.put(Graph.DROPOUT_SEED, Nd4j.scalar(seed));
    }
    return inputs;
  }

  private TrainingEngine engineFor(Map<String, INDArray> inputs) {
    return engine(inputs.containsKey(ModelGraph.SELECTED));
  }

  private TrainingEngine engine(boolean split) {
    TrainingEngine engine = engines.get(split);
    if (engine == null) {
      engine = newEngine(split);
      engines.values().stream().findFirst().ifPresent(engine::shareArena);
      engines.put(split, engine);
    }
    return engine;
  }

  private TrainingEngine newEngine(boolean split) {
    ModelGraph graph =
        bert.build(
            parameters, GraphOptions.training(split, trainable).withStyle(Style.preferred()));
    Optimizer atOnce = clips() ? null : optimizer;
    if (settings.memory() > 0) {
      return TrainingEngine.within(graph, settings.memory(), atOnce);
    }
    return atOnce == null
        ? new TrainingEngine(graph, List.of(), Recompute.ELEMENTWISE)
        : new TrainingEngine(graph, Recompute.ELEMENTWISE, atOnce);
  }

  private boolean clips() {
    return Double.isFinite(settings.clip());
  }

  private void check(double loss, double rate, int step) {
    if (!Double.isFinite(loss)) {
      throw new BadInputException(
          "The loss is %s at step %d of learning rate %.2g; lower the learning rate, or look for broken %s.",
          loss, step + 1, rate, bert.head().task() == Task.REGRESS ? "labels" : "weights");
    }
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

package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.Graph;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Tally;
import org.tokentune.ops.Dropout;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.BudgetException;
import org.tokentune.plan.internal.OptimizerStep;
import org.tokentune.select.TokenSelector;

/** Training steps in this process, on execution plans. */
public final class LocalStep implements TrainingStep {

  /** Gives every part of a batch dropout of its own. */
  private static final long PART_SEED = 0x9E3779B97F4A7C15L;

  private final TransformerModel model;
  private final Parameters parameters;
  private final Predicate<String> trainable;
  private final TokenSelector selector;
  private final Hyperparameters settings;
  private final ParameterOptimizer optimizer;
  private final GradientAccumulator sums = new GradientAccumulator();
  private final OptimizerStep optimizerInBackward = new InBackward();
  private final Map<Boolean, TrainingEngine> engines = new HashMap<>();

  /** Runs a batch in parts; null: it runs at once. */
  private final CachedVectors cached;

  private double rate;

  /**
   * Updates parameters during a run, if its loss is finite; those whose gradient is not finite are
   * left out where gradients are clipped, as only then that is known.
   */
  private final class InBackward implements OptimizerStep {

    @Override
    public boolean begins(Map<String, INDArray> outputs) {
      boolean finite = Double.isFinite(outputs.get(ModelGraph.LOSS).getDouble(0));
      if (finite) {
        optimizer.begin(rate);
      }
      return finite;
    }

    @Override
    public boolean wholeGradients() {
      return optimizer.wholeGradients();
    }

    @Override
    public void update(String name, INDArray parameter, long firstRow, INDArray gradient) {
      optimizer.update(name, parameter, firstRow, gradient);
    }
  }

  public LocalStep(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      TokenSelector selector,
      Hyperparameters settings) {
    required(model, "model");
    required(parameters, "parameters");
    required(trainable, "trainable");
    required(selector, "selector");
    required(settings, "settings");

    this.model = model;
    this.parameters = parameters;
    this.trainable = trainable;
    this.selector = selector;
    this.settings = settings;
    settings.loss().check(model.head().task(), model.head().outputs());
    int microBatch = settings.memory().microBatch();
    EmbeddingLoss ofVectors = model.head().task().embeddingLoss().orElse(null);
    if (microBatch > 0 && ofVectors == null) {
      throw BadSettingsException.of(
          "microBatch",
          "is for vectors of texts, not for %s; give accumulation.",
          model.head().task().shortName());
    }
    cached =
        microBatch > 0 ? new CachedVectors(ofVectors, model.head().outputs(), microBatch) : null;
    optimizer =
        settings
            .optimizer()
            .optimizer(model, parameters)
            .clipped(settings.clipBy(), settings.clip());
  }

  @Override
  public ParameterOptimizer optimizer() {
    return optimizer;
  }

  @Override
  public void check(MultiDataSet batch, Position position) {
    Map<String, INDArray> inputs =
        withDropout(StepInputs.largest(model, batch, selector, position), position.seed(), 0);
    plan(cached == null ? inputs : cached.largest(inputs, model.head().outputs()));
  }

  @Override
  public Result run(List<MultiDataSet> together, Position position, double learningRate) {
    rate = learningRate;
    List<StepInputs> batches = new ArrayList<>();
    for (int i = 0; i < together.size(); i++) {
      StepInputs inputs =
          StepInputs.of(model, together.get(i), selector, position.next(i), settings.loss());
      withDropout(inputs, position.seed(), position.step() * settings.accumulation() + i);
      batches.add(inputs);
    }
    double weight = batches.stream().mapToDouble(StepInputs::weight).sum();
    long tokens = batches.stream().mapToLong(StepInputs::tokens).sum();
    sums.clear();
    Map<String, INDArray> gradients = Map.of();
    Tally tally = task().scoresSteps() ? task().tally(model.head().outputs()) : null;
    long rows = 0;
    double loss = 0;
    for (int i = 0; i < batches.size(); i++) {
      StepInputs batch = batches.get(i);
      if (batch.weight() > 0) {
        double share = batch.weight() / weight;
        sums.weigh(share);
        int run = position.step() * settings.accumulation() + i;
        double ofBatch;
        if (cached == null) {
          TrainingEngine.Result result = plan(batch.placeholders()).run(batch.placeholders());
          ofBatch = result.loss();
          if (tally != null) {
            rows +=
                tally.add(
                    batch.placeholders().get(ModelGraph.LABELS),
                    result.outputs().get(task().scored()));
          }
          gradients = settings.addsUp() ? sums.gradients() : result.gradients();
        } else {
          ofBatch = inParts(batch.placeholders(), share, position.seed(), run);
          gradients = sums.gradients();
        }
        if (!Double.isFinite(ofBatch)) {
          return new Result(ofBatch, weight, tokens, List.of(together.get(i)), Map.of());
        }
        loss += share * ofBatch;
      }
    }
    if (settings.optimizesInBackward() && weight > 0 && !optimizer.end()) {
      return new Result(loss, weight, tokens, together, Map.of());
    }
    if (!settings.optimizesInBackward() && weight > 0) {
      if (clips() && !Double.isFinite(GradientClipping.byGlobalNorm(gradients, settings.clip()))) {
        return new Result(loss, weight, tokens, together, Map.of());
      }
      optimizer.step(gradients, rate);
    }
    return new Result(
        loss, weight, tokens, List.of(), rows == 0 ? Map.of() : tally.scores(rows, loss).metrics());
  }

  private Objective task() {
    return model.head().task();
  }

  /** Runs a batch in parts, whose gradients are added to the sums, and returns its loss. */
  private double inParts(Map<String, INDArray> inputs, double share, long seed, int run) {
    sums.weigh(1);
    return cached.run(
        inputs,
        share,
        engineFor(inputs),
        part -> Dropout.seed(seed + part * PART_SEED, run),
        result -> Double.isFinite(result.loss()));
  }

  /**
   * Adds the seed of dropout, if the graph has dropout.
   *
   * @param run number of the batch in the whole training; every batch has its own dropout
   */
  private Map<String, INDArray> withDropout(StepInputs inputs, long seed, int run) {
    Map<String, INDArray> placeholders = inputs.placeholders();
    if (engineFor(placeholders).hasDropout()) {
      placeholders.put(Graph.DROPOUT_SEED, Dropout.seed(seed, run));
    }
    return placeholders;
  }

  /** Returns the engine that has a plan for these inputs. */
  private TrainingEngine plan(Map<String, INDArray> inputs) {
    TrainingEngine engine = engineFor(inputs);
    try {
      engine.plan(inputs);
      return engine;
    } catch (BudgetException e) {
      throw tooSmall(e, inputs.get(ModelGraph.INPUT_IDS).shape());
    }
  }

  private BadInputException tooSmall(BudgetException cause, long[] shape) {
    int k = mostTokens(shape[0], shape[1]);
    return new BadSettingsException(
        cause,
        "A step on %d texts of %d tokens takes at least %.1f MB, whatever is recomputed, and the"
            + " budget is %.1f MB; give more memory, %s.",
        shape[0],
        shape[1],
        cause.least() / 1e6,
        settings.memory().budget() / 1e6,
        k > 0
            ? String.format(Locale.ROOT, "at most %d selected tokens, or smaller batches", k)
            : "smaller batches or shorter texts");
  }

  /**
   * Returns the maximal number of selected tokens per text for which a step fits the budget; 0 if
   * there is none.
   */
  private int mostTokens(long batch, long length) {
    int fits = 0;
    int tooMany = (int) length;
    while (tooMany - fits > 1) {
      int k = (fits + tooMany) / 2;
      try {
        engine(true).plan(StepInputs.shapeOnly(model.head(), batch, length, k));
        fits = k;
      } catch (BudgetException e) {
        tooMany = k;
      }
    }
    return fits;
  }

  private TrainingEngine engineFor(Map<String, INDArray> inputs) {
    return engine(StepInputs.areSplit(inputs));
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
    GraphOptions options =
        GraphOptions.training(split, trainable)
            .withKernelMode(KernelMode.preferred())
            .withLoss(settings.loss());
    ModelGraph graph = model.build(parameters, cached == null ? options : options.withUpstream());
    OptimizerStep optimizerStep =
        settings.addsUp() ? sums : settings.optimizesInBackward() ? optimizerInBackward : null;
    List<String> outputs = task().scoresSteps() ? List.of(task().scored()) : List.of();
    return new TrainingEngine(graph, outputs, settings.memory(), optimizerStep);
  }

  private boolean clips() {
    return Double.isFinite(settings.clip());
  }

  @Override
  public StepMemoryReport memory() {
    return engines.values().stream()
        .flatMap(engine -> engine.memory(parameters, optimizer).stream())
        .max(Comparator.comparingLong(StepMemoryReport::total))
        .map(report -> settings.addsUp() ? report.withGradientSums() : report)
        .orElse(null);
  }

  @Override
  public long arenaBytes() {
    return engines.values().stream().mapToLong(TrainingEngine::arenaBytes).findFirst().orElse(0);
  }

  @Override
  public void close() {
    if (cached != null) {
      cached.close();
    }
    engines.values().forEach(TrainingEngine::close);
    engines.clear();
  }
}

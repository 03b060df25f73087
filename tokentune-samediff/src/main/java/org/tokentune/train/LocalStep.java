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
import org.tokentune.ops.Dropout;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.BudgetException;
import org.tokentune.plan.internal.OptimizerStep;
import org.tokentune.select.TokenSelector;

/** Training steps in this process, on execution plans. */
public final class LocalStep implements TrainingStep {

  private final TransformerModel model;
  private final Parameters parameters;
  private final Predicate<String> trainable;
  private final TokenSelector selector;
  private final Hyperparameters settings;
  private final ParameterOptimizer optimizer;
  private final GradientAccumulator sums = new GradientAccumulator();
  private final OptimizerStep optimizerInBackward = new InBackward();
  private final Map<Boolean, TrainingEngine> engines = new HashMap<>();
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
    plan(withDropout(StepInputs.largest(model, batch, selector, position), position.seed(), 0));
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
    double loss = 0;
    for (int i = 0; i < batches.size(); i++) {
      StepInputs batch = batches.get(i);
      if (batch.weight() > 0) {
        double share = batch.weight() / weight;
        sums.weigh(share);
        TrainingEngine.Result result = plan(batch.placeholders()).run(batch.placeholders());
        if (!Double.isFinite(result.loss())) {
          return new Result(result.loss(), weight, tokens, List.of(together.get(i)));
        }
        loss += share * result.loss();
        gradients = settings.accumulation() > 1 ? sums.gradients() : result.gradients();
      }
    }
    if (settings.optimizesInBackward() && weight > 0 && !optimizer.end()) {
      return new Result(loss, weight, tokens, together);
    }
    if (!settings.optimizesInBackward() && weight > 0) {
      if (clips() && !Double.isFinite(GradientClipping.byGlobalNorm(gradients, settings.clip()))) {
        return new Result(loss, weight, tokens, together);
      }
      optimizer.step(gradients, rate);
    }
    return new Result(loss, weight, tokens, List.of());
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
    ModelGraph graph =
        model.build(
            parameters,
            GraphOptions.training(split, trainable)
                .withKernelMode(KernelMode.preferred())
                .withLoss(settings.loss()));
    OptimizerStep optimizerStep =
        settings.accumulation() > 1
            ? sums
            : settings.optimizesInBackward() ? optimizerInBackward : null;
    return new TrainingEngine(graph, List.of(), settings.memory(), optimizerStep);
  }

  private boolean clips() {
    return Double.isFinite(settings.clip());
  }

  @Override
  public StepMemoryReport memory() {
    return engines.values().stream()
        .flatMap(engine -> engine.memory(parameters, optimizer).stream())
        .max(Comparator.comparingLong(StepMemoryReport::total))
        .map(report -> settings.accumulation() > 1 ? report.withGradientSums() : report)
        .orElse(null);
  }

  @Override
  public long arenaBytes() {
    return engines.values().stream().mapToLong(TrainingEngine::arenaBytes).findFirst().orElse(0);
  }

  @Override
  public void close() {
    engines.values().forEach(TrainingEngine::close);
    engines.clear();
  }
}

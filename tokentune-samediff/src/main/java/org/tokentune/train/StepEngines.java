package org.tokentune.train;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.LossSettings;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.BudgetException;
import org.tokentune.plan.internal.OptimizerStep;

/**
 * The engines of a training: one for batches in which every token is selected, and one for those
 * with frozen tokens, in one arena. Each is made when it is first needed.
 */
final class StepEngines implements AutoCloseable {

  private final TransformerModel model;
  private final Parameters parameters;
  private final Predicate<String> trainable;
  private final MemorySettings memory;
  private final LossSettings loss;
  private final OptimizerStep optimizerStep;
  private final boolean upstream;
  private final Map<Boolean, TrainingEngine> engines = new HashMap<>();

  /**
   * @param optimizerStep takes the gradients of every run; null: runs return them
   * @param upstream whether runs are given the gradient of the logits, in place of labels
   */
  StepEngines(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      MemorySettings memory,
      LossSettings loss,
      OptimizerStep optimizerStep,
      boolean upstream) {
    this.model = model;
    this.parameters = parameters;
    this.trainable = trainable;
    this.memory = memory;
    this.loss = loss;
    this.optimizerStep = optimizerStep;
    this.upstream = upstream;
  }

  /** Returns the engine for these inputs, which need not be planned yet. */
  TrainingEngine of(Map<String, INDArray> inputs) {
    return of(StepInputs.areSplit(inputs));
  }

  /**
   * Returns the engine for these inputs, with a plan for them.
   *
   * @throws BadInputException if there is none within the budget
   */
  TrainingEngine planned(Map<String, INDArray> inputs) {
    TrainingEngine engine = of(inputs);
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
        memory.budget() / 1e6,
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
        of(true).plan(StepInputs.shapeOnly(model.head(), batch, length, k));
        fits = k;
      } catch (BudgetException e) {
        tooMany = k;
      }
    }
    return fits;
  }

  private TrainingEngine of(boolean split) {
    TrainingEngine engine = engines.get(split);
    if (engine == null) {
      engine = create(split);
      engines.values().stream().findFirst().ifPresent(engine::shareArena);
      engines.put(split, engine);
    }
    return engine;
  }

  private TrainingEngine create(boolean split) {
    GraphOptions options =
        GraphOptions.training(split, trainable)
            .withKernelMode(KernelMode.preferred())
            .withLoss(loss);
    ModelGraph graph = model.build(parameters, upstream ? options.withUpstream() : options);
    List<String> outputs =
        model.head().task().scoresSteps() ? List.of(model.head().task().scored()) : List.of();
    return new TrainingEngine(graph, outputs, memory, optimizerStep);
  }

  /** Memory of the largest step so far; empty before the first. */
  Optional<StepMemoryReport> memory(ParameterOptimizer optimizer) {
    return engines.values().stream()
        .flatMap(engine -> engine.memory(parameters, optimizer).stream())
        .max(Comparator.comparingLong(StepMemoryReport::total));
  }

  /** The allocated bytes of the arena. */
  long arenaBytes() {
    return engines.values().stream().mapToLong(TrainingEngine::arenaBytes).findFirst().orElse(0);
  }

  @Override
  public void close() {
    engines.values().forEach(TrainingEngine::close);
    engines.clear();
  }
}

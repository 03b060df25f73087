package org.tokentune.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.models.ModelGraph;
import org.tokentune.nn.Graph;
import org.tokentune.nn.Parameters;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.OptimizerStep;
import org.tokentune.plan.Plan;
import org.tokentune.plan.PlanEngine;
import org.tokentune.plan.PlanOptions;

/** Runs a model's training graph forward and backward on execution plans. */
public final class TrainingEngine implements AutoCloseable {

  private final ModelGraph graph;
  private final PlanEngine engine;

  /**
   * Derives the gradient graph; runs return gradients and change no parameter.
   *
   * @param outputs further values to return
   */
  public TrainingEngine(
      ModelGraph graph, List<String> outputs, ActivationCheckpointing checkpointing) {
    this(graph, outputs, checkpointing, null);
  }

  /**
   * Derives the gradient graph; every run updates the parameters, each as soon as its gradient is
   * complete.
   *
   * @param optimizerStep that does so
   */
  public TrainingEngine(
      ModelGraph graph, ActivationCheckpointing checkpointing, OptimizerStep optimizerStep) {
    this(graph, List.of(), checkpointing, optimizerStep);
  }

  private TrainingEngine(
      ModelGraph graph,
      List<String> outputs,
      ActivationCheckpointing checkpointing,
      OptimizerStep optimizerStep) {
    this(graph, outputs, MemorySettings.of(checkpointing), optimizerStep);
  }

  /**
   * Derives the gradient graph.
   *
   * @param outputs further values to return
   * @param memory what a step keeps; within a budget, each batch's recomputes no more than it takes
   * @param optimizerStep of the parameters, as soon as their gradients are complete; null: runs
   *     return gradients and change no parameter
   */
  public TrainingEngine(
      ModelGraph graph, List<String> outputs, MemorySettings memory, OptimizerStep optimizerStep) {
    this.graph = graph;
    PlanOptions options = options(graph, outputs).withPrecision(memory.precision());
    engine =
        new PlanEngine(
            graph.sd(),
            memory.budget() > 0
                ? options.within(memory.budget(), ModelGraph::isHiddenState)
                : options.withCheckpointing(memory.checkpointing(), ModelGraph::isHiddenState),
            optimizerStep);
  }

  private static PlanOptions options(ModelGraph graph, List<String> outputs) {
    List<String> wanted = new ArrayList<>(outputs);
    wanted.add(ModelGraph.LOSS);
    return PlanOptions.gradients(wanted, graph.trainable());
  }

  /** Whether the graph drops and so asks for a seed. */
  public boolean hasDropout() {
    return graph.sd().hasVariable(Graph.DROPOUT_SEED);
  }

  /**
   * Results of one batch; the arrays are good until the next one.
   *
   * @param loss the batch's loss
   * @param gradients by parameter, in the parameter's shape; none where parameters are updated
   * @param outputs what else was asked for
   */
  public record Result(
      double loss, Map<String, INDArray> gradients, Map<String, INDArray> outputs) {}

  /**
   * One forward and backward pass over the graph's placeholders.
   *
   * @throws org.tokentune.BadInputException as {@link ModelGraph#check}
   */
  public Result run(Map<String, INDArray> inputs) {
    graph.check(inputs);
    PlanEngine.Result result = engine.run(inputs);
    double loss = result.outputs().get(ModelGraph.LOSS).getDouble(0);
    return new Result(loss, result.gradients(), result.outputs());
  }

  /**
   * The plan for inputs of these shapes.
   *
   * @throws org.tokentune.plan.BudgetException if there is none within the budget
   */
  public Plan plan(Map<String, INDArray> inputs) {
    return engine.plan(inputs);
  }

  /** A plan for the same that recomputes otherwise, of the same gradient graph; no run uses it. */
  public Plan plan(Map<String, INDArray> inputs, ActivationCheckpointing level) {
    return engine.plan(inputs, level);
  }

  /** Memory of the largest step planned so far; empty before the first. */
  Optional<StepMemoryReport> memory(Parameters parameters, ParameterOptimizer optimizer) {
    return engine
        .largest()
        .map(plan -> StepMemoryReport.of(parameters, graph.trainable(), optimizer, plan.memory()));
  }

  /** Runs in another engine's arena from now on: results are good until the next run of either. */
  void shareArena(TrainingEngine other) {
    engine.shareArena(other.engine);
  }

  /** Bytes of the arena that runs share, as allocated. */
  long arenaBytes() {
    return engine.arenaBytes();
  }

  /** Runs only a step's matrix products, on numbers without meaning; returns nanoseconds. */
  public long runMatmuls(Map<String, INDArray> inputs) {
    return engine.runMatmuls(inputs);
  }

  @Override
  public void close() {
    engine.close();
  }
}

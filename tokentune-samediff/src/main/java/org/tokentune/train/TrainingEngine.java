package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.models.ModelGraph;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.Graph;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.internal.OptimizerStep;
import org.tokentune.plan.internal.Plan;
import org.tokentune.plan.internal.PlanEngine;
import org.tokentune.plan.internal.PlanOptions;

/**
 * Runs a model's training graph forward and backward on execution plans. Adds the ops of the
 * backward pass to the graph.
 */
public final class TrainingEngine implements AutoCloseable {

  private final ModelGraph graph;
  private final PlanEngine engine;

  /** Runs forward only; null until it is needed. */
  private PlanEngine forward;

  /**
   * Derives the gradient graph. Runs return gradients and change no parameters.
   *
   * @param outputs further values to return
   */
  public TrainingEngine(
      ModelGraph graph, List<String> outputs, ActivationCheckpointing checkpointing) {
    this(graph, outputs, checkpointing, null);
  }

  /**
   * Derives the gradient graph. Every run updates the parameters, each as soon as its gradient is
   * complete.
   *
   * @param optimizerStep updates the parameters
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
   * Adds the backward pass.
   *
   * @param outputs further values to return
   * @param memory what a step stores; within a budget, the step of each batch recomputes no more
   *     than necessary
   * @param optimizerStep updates the parameters as soon as their gradients are complete; null: runs
   *     return gradients and change no parameters
   */
  public TrainingEngine(
      ModelGraph graph, List<String> outputs, MemorySettings memory, OptimizerStep optimizerStep) {
    required(graph, "graph");
    required(outputs, "outputs");
    required(memory, "memory");

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

  /** Whether the graph has dropout, which needs a seed. */
  public boolean hasDropout() {
    return graph.sd().hasVariable(Graph.DROPOUT_SEED);
  }

  /**
   * The results of one batch. The arrays are valid until the next run.
   *
   * @param loss the batch's loss
   * @param gradients by parameter, in its shape; empty if parameters are updated
   * @param outputs further values
   */
  public record Result(
      double loss, Map<String, INDArray> gradients, Map<String, INDArray> outputs) {}

  /**
   * Runs one forward and backward pass.
   *
   * @throws org.tokentune.BadInputException as {@link ModelGraph#check}
   */
  public Result run(Map<String, INDArray> inputs) {
    required(inputs, "inputs");

    graph.check(inputs);
    PlanEngine.Result result = engine.run(inputs);
    double loss = result.outputs().get(ModelGraph.LOSS).getDouble(0);
    return new Result(loss, result.gradients(), result.outputs());
  }

  /** The logits of one batch, without a backward pass; valid until the next run. */
  public INDArray forward(Map<String, INDArray> inputs) {
    required(inputs, "inputs");

    graph.check(inputs);
    if (forward == null) {
      forward = new PlanEngine(graph.sd(), PlanOptions.forward(List.of(ModelGraph.LOGITS)));
      forward.shareArena(engine);
    }
    return forward.run(inputs).outputs().get(ModelGraph.LOGITS);
  }

  /**
   * Returns the plan for inputs of these shapes.
   *
   * @throws org.tokentune.plan.BudgetException if there is none within the budget
   */
  public Plan plan(Map<String, INDArray> inputs) {
    required(inputs, "inputs");

    return engine.plan(inputs);
  }

  /** Returns another plan of the same gradient graph, with other recomputation. No run uses it. */
  public Plan plan(Map<String, INDArray> inputs, ActivationCheckpointing level) {
    required(inputs, "inputs");
    required(level, "level");

    return engine.plan(inputs, level);
  }

  /** Memory of the largest step planned so far; empty before the first. */
  Optional<StepMemoryReport> memory(Parameters parameters, ParameterOptimizer optimizer) {
    return engine
        .largest()
        .map(plan -> StepMemoryReport.of(parameters, graph.trainable(), optimizer, plan.memory()));
  }

  /**
   * Shares the arena of another engine from now on: results are valid until the next run of either.
   */
  void shareArena(TrainingEngine other) {
    engine.shareArena(other.engine);
  }

  /** The allocated bytes of the arena that runs share. */
  long arenaBytes() {
    return engine.arenaBytes();
  }

  /** Runs only the matmuls of a step, on arbitrary numbers, and returns their nanoseconds. */
  public long runMatmuls(Map<String, INDArray> inputs) {
    required(inputs, "inputs");

    return engine.runMatmuls(inputs);
  }

  @Override
  public void close() {
    engine.close();
  }
}

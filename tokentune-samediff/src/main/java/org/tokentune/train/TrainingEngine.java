package org.tokentune.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.models.ModelGraph;
import org.tokentune.nn.Graph;
import org.tokentune.plan.PlanEngine;
import org.tokentune.plan.Recompute;

/** Runs a model's training graph forward and backward on execution plans. */
public final class TrainingEngine implements AutoCloseable {

  private final ModelGraph graph;
  private final PlanEngine engine;

  /**
   * Derives the gradient graph.
   *
   * @param outputs further values to return
   */
  public TrainingEngine(ModelGraph graph, List<String> outputs, Recompute recompute) {
    this.graph = graph;
    List<String> wanted = new ArrayList<>(outputs);
    wanted.add(ModelGraph.LOSS);
    engine =
        new PlanEngine(graph.sd(), wanted, graph.trainable(), recompute, ModelGraph::isHiddenState);
  }

  /** Whether the graph drops and so asks for a seed. */
  public boolean hasDropout() {
    return graph.sd().hasVariable(Graph.DROPOUT_SEED);
  }

  /**
   * Results of one batch; the arrays are good until the next one.
   *
   * @param loss the batch's loss
   * @param gradients by parameter, in the parameter's shape
   * @param outputs what else was asked for
   */
  public record Result(
      double loss, Map<String, INDArray> gradients, Map<String, INDArray> outputs) {}

  /** One forward and backward pass over the graph's placeholders; no parameter changes. */
  public Result run(Map<String, INDArray> inputs) {
    PlanEngine.Result result = engine.run(inputs);
    double loss = result.outputs().get(ModelGraph.LOSS).getDouble(0);
    return new Result(loss, result.gradients(), result.outputs());
  }

  @Override
  public void close() {
    engine.close();
  }
}

package org.tokentune.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.api.OutAndGrad;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.Quiet;
import org.tokentune.models.ModelGraph;
import org.tokentune.nn.internal.Graph;

/** Runs a training graph forward and backward in stock SameDiff. */
public final class SameDiffEngine {

  /**
   * Stock SameDiff leaves a step's arrays to the garbage collector, which sees only their small
   * Java ends: without being asked, it lets a gigabyte a step pile up.
   */
  private static final int RUNS_BETWEEN_COLLECTIONS = 2;

  private final ModelGraph graph;
  private int runs;

  /** Derives the gradient graph. */
  public SameDiffEngine(ModelGraph graph) {
    this.graph = graph;
    SameDiff sd = graph.sd();
    Quiet.run(() -> sd.createGradFunction(graph.trainable().toArray(new String[0])));
  }

  /** Whether the graph drops and so asks for a seed. */
  public boolean hasDropout() {
    return graph.sd().hasVariable(Graph.DROPOUT_SEED);
  }

  /**
   * Results of one batch.
   *
   * @param loss the batch's loss
   * @param gradients by parameter, in the parameter's shape
   * @param outputs what else was asked for
   */
  public record Result(
      double loss, Map<String, INDArray> gradients, Map<String, INDArray> outputs) {}

  /**
   * One forward and backward pass; no parameter changes.
   *
   * @param inputs the graph's placeholders
   * @param outputs names of further variables to return
   */
  public Result run(Map<String, INDArray> inputs, List<String> outputs) {
    List<String> wanted = new ArrayList<>(outputs);
    wanted.add(ModelGraph.LOSS);
    OutAndGrad results = graph.sd().calculateGradientsAndOutputs(inputs, wanted, graph.trainable());
    if (++runs % RUNS_BETWEEN_COLLECTIONS == 0) {
      System.gc();
    }
    double loss = results.getOutputs().get(ModelGraph.LOSS).getDouble(0);
    return new Result(loss, results.getGradients(), results.getOutputs());
  }
}

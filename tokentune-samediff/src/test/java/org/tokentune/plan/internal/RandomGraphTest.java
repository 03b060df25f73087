package org.tokentune.plan.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.api.OutAndGrad;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.optimizers.SgdStep;
import org.tokentune.plan.ActivationCheckpointing;

/** Plans of random graphs give stock SameDiff's numbers. */
class RandomGraphTest {

  /** Batch sizes of one engine's runs. */
  private static final int[] BATCHES = {3, 5, 3};

  @Test
  void plansEqualStockSameDiff() {
    int first = Integer.getInteger("random.first", 0);
    int graphs = Integer.getInteger("random.graphs", 40);
    double worst = 0;
    int runs = 0;
    Set<String> ops = new TreeSet<>();
    for (int seed = first; seed < first + graphs; seed++) {
      List<Map<String, INDArray>> expected = stock(seed);
      for (KernelMode kernelMode : KernelMode.values()) {
        for (ActivationCheckpointing level : ActivationCheckpointing.values()) {
          String which = "graph " + seed + ", " + kernelMode + ", " + level;
          RandomGraph graph = new RandomGraph(seed, kernelMode);
          worst = Math.max(worst, forward(which, graph, expected.get(1)));
          worst = Math.max(worst, stored(which, graph, level, expected));
          worst =
              Math.max(
                  worst,
                  optimizerInBackward(which, graph, new RandomGraph(seed, kernelMode), level));
          graph.ops().forEach(op -> ops.add(op.opName()));
          runs += BATCHES.length + 2;
        }
      }
    }
    System.out.printf(
        "%d random graphs, %d runs, %d kinds of ops: largest relative difference from stock"
            + " SameDiff %.1e%n",
        graphs, runs, ops.size(), worst);
  }

  /**
   * Stock SameDiff's outputs by name and gradients by variable, run by run. Every run has its own
   * graph, because stock SameDiff may overwrite a constant that an output is a view of.
   */
  private static List<Map<String, INDArray>> stock(int seed) {
    List<Map<String, INDArray>> results = new ArrayList<>();
    for (int run = 0; run < BATCHES.length; run++) {
      RandomGraph graph = new RandomGraph(seed, KernelMode.NATIVE);
      Map<String, INDArray> inputs = graph.inputs(BATCHES[run], run);
      OutAndGrad both =
          graph.sd().calculateGradientsAndOutputs(inputs, graph.outputs(), graph.trained());
      Map<String, INDArray> result = new HashMap<>();
      both.getOutputs().forEach((name, array) -> result.put(name, array.dup()));
      both.getGradients().forEach((name, array) -> result.put(name, array.dup()));
      results.add(result);
    }
    return results;
  }

  private static PlanOptions options(RandomGraph graph, ActivationCheckpointing level) {
    return PlanOptions.gradients(graph.outputs(), graph.trained())
        .withCheckpointing(level, name -> name.hashCode() % 4 == 0);
  }

  /**
   * Error of one engine over all shapes in turn; the last run's gradients are applied to the
   * variables.
   */
  private static double stored(
      String which,
      RandomGraph graph,
      ActivationCheckpointing level,
      List<Map<String, INDArray>> expected) {
    double worst = 0;
    try (PlanEngine engine = new PlanEngine(graph.sd(), options(graph, level))) {
      for (int run = 0; run < BATCHES.length; run++) {
        PlanEngine.Result result = engine.run(graph.inputs(BATCHES[run], run));
        Map<String, INDArray> actual = new HashMap<>(result.outputs());
        actual.putAll(result.gradients());
        worst = Math.max(worst, error(which + ", run " + run, expected.get(run), actual));
        if (run == BATCHES.length - 1) {
          result.gradients().forEach((name, gradient) -> step(graph.array(name), gradient));
        }
      }
    }
    return worst;
  }

  /**
   * Error of variables that are updated in the backward pass.
   *
   * @param stepped the same graph after the same step
   */
  private static double optimizerInBackward(
      String which, RandomGraph stepped, RandomGraph graph, ActivationCheckpointing level) {
    OptimizerStep sgd =
        (name, variable, firstRow, gradient) -> {
          step(OptimizerStep.rows(variable, firstRow, gradient), gradient);
          gradient.assign(Double.NaN); // it may be overwritten
        };
    int last = BATCHES.length - 1;
    try (PlanEngine engine = new PlanEngine(graph.sd(), options(graph, level), sgd)) {
      engine.run(graph.inputs(BATCHES[last], last));
    }
    return error(which + ", optimizer in backward", arrays(stepped), arrays(graph));
  }

  /** Error of the loss alone: without gradients, more is computed in place. */
  private static double forward(String which, RandomGraph graph, Map<String, INDArray> expected) {
    List<String> loss = List.of(RandomGraph.LOSS);
    try (PlanEngine engine = new PlanEngine(graph.sd(), PlanOptions.forward(loss))) {
      Map<String, INDArray> outputs = engine.run(graph.inputs(BATCHES[1], 1)).outputs();
      Map<String, INDArray> wanted = Map.of(RandomGraph.LOSS, expected.get(RandomGraph.LOSS));
      return error(which + ", forward", wanted, outputs);
    }
  }

  private static void step(INDArray variable, INDArray gradient) {
    SgdStep.run(variable, 1, gradient, 1);
  }

  private static Map<String, INDArray> arrays(RandomGraph graph) {
    Map<String, INDArray> arrays = new HashMap<>();
    graph.trained().forEach(name -> arrays.put(name, graph.array(name)));
    return arrays;
  }

  /** Largest difference of a value relative to its largest element. */
  private static double error(
      String which, Map<String, INDArray> expected, Map<String, INDArray> actual) {
    assertEquals(expected.keySet(), actual.keySet());
    double worst = 0;
    for (Map.Entry<String, INDArray> value : expected.entrySet()) {
      double largest = Math.max(1e-3, value.getValue().amaxNumber().doubleValue());
      INDArray gap = value.getValue().sub(actual.get(value.getKey()));
      double error = gap.amaxNumber().doubleValue() / largest;
      assertTrue(error < 1e-5, which + ": " + value.getKey() + " differs by " + error);
      worst = Math.max(worst, error);
    }
    return worst;
  }
}

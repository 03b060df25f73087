package org.tokentune.plan;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.Style;

/** Plans of random graphs give stock SameDiff's numbers. */
class RandomGraphTest {

  private static final int GRAPHS = 100;
  private static final int[] BATCHES = {3, 5, 3};

  @Test
  void plansEqualStockSameDiff() {
    double worst = 0;
    int ops = 0;
    int from = Integer.getInteger("from", 0);
    for (int seed = from; seed < from + Integer.getInteger("graphs", GRAPHS); seed++) {
      RandomGraph stock = new RandomGraph(seed, Style.NATIVE);
      derive(stock);
      List<String> trained = stock.trained();
      List<Map<String, INDArray>> expected = new ArrayList<>();
      if (Boolean.getBoolean("dump")) System.out.println(new RandomGraph(seed, Style.FUSED).dump());
      for (int run = 0; run < BATCHES.length; run++) {
        expected.add(expected(stock, trained, stock.inputs(BATCHES[run], run)));
      }
      for (Style style : Style.values()) {
        for (Recompute level : Recompute.values()) {
          RandomGraph graph = new RandomGraph(seed, style);
          List<String> outputs = graph.outputs();
          PlanOptions options =
              PlanOptions.gradients(outputs, trained)
                  .withRecompute(level, name -> name.hashCode() % 4 == 0);
          double error = 0;
          try (PlanEngine engine = new PlanEngine(graph.sd(), options)) {
            for (int run = 0; run < BATCHES.length; run++) {
              PlanEngine.Result result = engine.run(graph.inputs(BATCHES[run], run));
              if (Boolean.getBoolean("dump")) for (String name : outputs) System.out.println(run + " " + name + " " + error(expected.get(run).get(name), result.outputs().get(name)));
              if (Boolean.getBoolean("dump")) for (String name : trained) System.out.println(run + " " + name + " " + error(expected.get(run).get("grad." + name), result.gradients().get(name)));
              for (String name : outputs) {
                error =
                    Math.max(
                        error, error(expected.get(run).get(name), result.outputs().get(name)));
              }
              for (String name : trained) {
                error =
                    Math.max(
                        error,
                        error(expected.get(run).get("grad." + name), result.gradients().get(name)));
              }
            }
            ops += engine.plan(shapes(graph.inputs(3, 0))).ops();
          } catch (RuntimeException e) {
            System.out.println(seed + " " + style + " " + level + " failed: " + e);
            if (seed == from) {
              throw e;
            }
          }
          if (!(error < 1e-5)) {
            System.out.println(seed + " " + style + " " + level + " error " + error);
          }
          worst = Math.max(worst, error);
        }
      }
    }
    System.out.printf("%d graphs, %d ops, largest relative error %.1e%n", GRAPHS, ops, worst);
    assertTrue(worst < 1e-5);
  }

  private static Map<String, long[]> shapes(Map<String, INDArray> inputs) {
    Map<String, long[]> shapes = new HashMap<>();
    inputs.forEach((name, array) -> shapes.put(name, array.shape()));
    return shapes;
  }

  /** Stock SameDiff's outputs and gradients. */
  private static Map<String, INDArray> expected(
      RandomGraph graph, List<String> trained, Map<String, INDArray> inputs) {
    Map<String, INDArray> expected = new HashMap<>();
    graph.sd().output(inputs, graph.outputs()).forEach((name, array) -> expected.put(name, array.dup()));
    graph
        .sd()
        .calculateGradients(inputs, trained)
        .forEach((name, array) -> expected.put("grad." + name, array.dup()));
    return expected;
  }

  private static double error(INDArray expected, INDArray actual) {
    double largest = Math.max(1e-3, expected.amaxNumber().doubleValue());
    double gap = expected.sub(actual).amaxNumber().doubleValue();
    return Double.isNaN(gap) ? Double.POSITIVE_INFINITY : gap / largest;
  }

  private static void derive(RandomGraph graph) {
    PrintStream out = System.out;
    try (PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8)) {
      System.setOut(nowhere); // createGradFunction prints a line for every op
      graph.sd().createGradFunction();
    } finally {
      System.setOut(out);
    }
  }
}

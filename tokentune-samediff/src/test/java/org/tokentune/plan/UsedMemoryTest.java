package org.tokentune.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.NativeMemory;
import org.tokentune.ops.Style;

/** The bytes that a plan names are those that its run uses, as the allocators count them. */
class UsedMemoryTest {

  /**
   * Binds and runs a plan.
   *
   * @return bytes that it names, seen to be allocated and to be written to the last one
   */
  public static long check(SameDiff sd, Map<String, INDArray> inputs, PlanOptions options) {
    Map<String, long[]> shapes = new HashMap<>();
    inputs.forEach((name, array) -> shapes.put(name, array.shape()));
    Plan plan = Plan.of(sd, shapes, options);
    NativeMemory.settle();
    long before = NativeMemory.arrays();
    try (Arena arena = new Arena();
        BoundPlan bound = plan.bind(arena, (name, variable, gradient) -> {})) {
      assertEquals(plan.bytes(), NativeMemory.arrays() - before, "allocated");
      bound.run(inputs);
      assertEquals(plan.bytes(), NativeMemory.arrays() - before, "allocated after a run");
    }
    assertEquals(before, NativeMemory.arrays(), "left behind");
    try (Canary canary = new Canary();
        BoundPlan bound = plan.bind(canary.arena(), (name, variable, gradient) -> {})) {
      canary.run(() -> bound.run(inputs), 0xA5);
      canary.run(() -> bound.run(inputs), 0x5A);
      assertEquals(plan.bytes(), canary.bytes(), "written");
    }
    return plan.bytes();
  }

  @Test
  void randomGraphsUseWhatTheirPlansName() {
    long bytes = 0;
    int plans = 0;
    for (int seed = 0; seed < 15; seed++) {
      RandomGraph graph = new RandomGraph(seed, seed % 2 == 0 ? Style.FUSED : Style.NATIVE);
      List<Recompute> levels = List.of(Recompute.values());
      Recompute level = levels.get(seed % levels.size());
      PlanOptions options =
          PlanOptions.gradients(graph.outputs(), graph.trained())
              .withRecompute(level, name -> name.hashCode() % 4 == 0);
      for (PlanOptions each : List.of(options, options.withUpdates())) {
        bytes += check(graph.sd(), graph.inputs(3 + seed, seed), each);
        plans++;
      }
    }
    System.out.printf(
        "%d plans of random graphs name %,d bytes: so many are allocated and written%n",
        plans, bytes);
  }
}

package org.tokentune.plan.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;

/** The check finds faults in plans that are broken on purpose, and none in valid ones. */
class PlanCheckTest {

  private static final String PROPERTY = "org.tokentune.plan.check";
  private static final Map<String, long[]> SHAPES = Map.of("x", new long[] {4, 5});

  @BeforeEach
  void on() {
    System.setProperty(PROPERTY, "true");
  }

  @AfterEach
  void off() {
    System.clearProperty(PROPERTY);
  }

  /** {@code early} is written first and read last; the other values live and die in between. */
  private static OpSchedule list() {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.placeHolder("x", DataType.FLOAT, 4, 5);
    SDVariable square = sd.constant(Nd4j.ones(5, 5));
    SDVariable early = x.mmul(square).rename("early");
    SDVariable later = x.mmul(square).rename("later");
    later.mmul(square).rename("last").add(early).rename("out");
    return OpSchedule.of(sd, List.of("out"), List.of());
  }

  /**
   * Runs the schedule.
   *
   * @param hidden value whose read by the last op is hidden from the planner, or none
   * @param placed whether buffers get separate offsets; otherwise all share one
   */
  private static void run(String hidden, boolean placed) {
    OpSchedule list = list();
    Shapes shapes = Shapes.of(list, SHAPES);
    GradientSlices gradients = new GradientSlices(Map.of(), false);
    AliasAnalysis aliases = new AliasAnalysis(shapes, gradients);
    List<Node> nodes = aliases.apply(shapes.remaining());
    List<Node> seen = new ArrayList<>(nodes);
    Node last = seen.remove(nodes.size() - 1);
    seen.add(last.renamed(name -> name.equals(hidden) ? "last" : name, name -> name));
    MemoryPlanner memory =
        new MemoryPlanner(seen, aliases, shapes, SHAPES.keySet(), List.of("out"));
    if (placed) {
      memory.place();
    }
    Layout layout =
        new Layout(
            List.of(),
            gradients,
            new GradientsAtHome(Map.of(), aliases, shapes, null),
            aliases,
            nodes,
            memory,
            SHAPES.keySet(),
            Set.of("out"));
    PlanOptions options = PlanOptions.forward(List.of("out"));
    try (Arena arena = new Arena()) {
      arena.reserve(Map.of(DataType.FLOAT, 1000L));
      BoundPlan bound = new Plan(list, shapes, List.of(), layout, options).bind(arena, null);
      bound.run(Map.of("x", Nd4j.ones(4, 5)));
      assertEquals(30, bound.outputs().get("out").getDouble(0));
    }
  }

  private static void fails(String message, Executable body) {
    String actual = assertThrows(IllegalStateException.class, body).getMessage();
    System.out.println("caught: " + actual);
    assertEquals(message, actual);
  }

  @Test
  void catchesALifetimeThatIsTooShort() {
    fails(
        "op 3 (add) reads early, which was not written or is already released",
        () -> run("early", true));
  }

  @Test
  void catchesOverlappingBuffers() {
    fails(
        "op 1 (matmul) reads x, which changed after the caller wrote it", () -> run("none", false));
  }

  @Test
  void validPlanPasses() {
    run("none", true);
  }

  @Test
  void namesTheOpThatComputesNan() {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.placeHolder("x", DataType.FLOAT, 4, 5);
    sd.math().log(x).rename("logs").sum().rename("out");
    try (PlanEngine engine = new PlanEngine(sd, PlanOptions.forward(List.of("out")))) {
      fails(
          "op 1 (reduce_sum) reads NaN in logs, which op 0 (log) wrote",
          () -> engine.run(Map.of("x", Nd4j.ones(4, 5).neg())));
    }
  }

  @Test
  void validPlansOfRandomGraphsPass() {
    int steps = 0;
    for (ActivationCheckpointing level : ActivationCheckpointing.values()) {
      for (int seed = 0; seed < 4; seed++) {
        RandomGraph graph = new RandomGraph(seed, seed == 0 ? KernelMode.NATIVE : KernelMode.FUSED);
        PlanOptions options =
            PlanOptions.gradients(graph.outputs(), graph.trained())
                .withCheckpointing(level, name -> name.hashCode() % 4 == 0);
        OptimizerStep optimizerStep = seed == 3 ? (name, variable, firstRow, gradient) -> {} : null;
        try (PlanEngine engine = new PlanEngine(graph.sd(), options, optimizerStep)) {
          for (int run = 0; run < 2; run++) {
            engine.run(graph.inputs(3 + run, run));
            steps++;
          }
        }
      }
    }
    System.out.println("the check finds nothing in " + steps + " steps of random graphs");
  }
}

package org.tokentune.plan.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.NativeMemory;
import org.tokentune.SmallBert;
import org.tokentune.models.Encoder;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Pooling;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.select.RandomTokens;

/** A plan's predicted bytes equal those that its run uses according to the allocators. */
class UsedMemoryTest {

  private static final OptimizerStep NONE = (name, variable, firstRow, gradient) -> {};

  private record Case(Plan plan, Map<String, INDArray> inputs) {

    static Case of(SameDiff sd, Map<String, INDArray> inputs, PlanOptions options) {
      Map<String, long[]> shapes = new HashMap<>();
      inputs.forEach((name, array) -> shapes.put(name, array.shape()));
      return new Case(Plan.of(sd, shapes, options), inputs);
    }

    void check() {
      allocatesThePredictedBytes();
      writesThePredictedBytes();
    }

    private void allocatesThePredictedBytes() {
      long before = NativeMemory.arrays();
      long constants;
      try (Arena arena = new Arena();
          BoundPlan bound = plan.bind(arena, NONE)) {
        assertEquals(plan.bytes(), NativeMemory.arrays() - before, "allocated");
        bound.run(inputs);
        constants = NativeMemory.arrays() - before - plan.bytes();
        assertTrue(constants <= 64, "axes and similar constants, which ND4J caches: " + constants);
        long pointers = NativeMemory.pointers();
        bound.run(inputs);
        assertEquals(plan.bytes() + constants, NativeMemory.arrays() - before, "a second run");
        assertTrue(NativeMemory.pointers() <= pointers, "pointers of a second run");
      }
      assertEquals(constants, NativeMemory.arrays() - before, "left behind");
    }

    private void writesThePredictedBytes() {
      try (Canary canary = new Canary();
          BoundPlan bound = plan.bind(canary.arena(), NONE)) {
        canary.run(() -> bound.run(inputs), 0xA5);
        canary.run(() -> bound.run(inputs), 0x5A);
        assertEquals(plan.bytes(), canary.bytes(), "written");
      }
    }
  }

  private static void check(List<Case> cases) {
    NativeMemory.settle();
    cases.forEach(Case::check);
  }

  @Test
  void randomGraphsUseThePredictedMemory() {
    List<Case> cases = new ArrayList<>();
    for (ActivationCheckpointing level : ActivationCheckpointing.values()) {
      for (int seed = 0; seed < 5; seed++) {
        RandomGraph graph = new RandomGraph(seed, seed == 0 ? KernelMode.NATIVE : KernelMode.FUSED);
        PlanOptions options =
            PlanOptions.gradients(graph.outputs(), graph.trained())
                .withCheckpointing(level, name -> name.hashCode() % 4 == 0);
        Map<String, INDArray> inputs = graph.inputs(3 + seed, seed);
        cases.add(Case.of(graph.sd(), inputs, options));
        cases.add(Case.of(graph.sd(), inputs, options.withOptimizerInBackward(true)));
      }
    }
    check(cases);
    System.out.printf(
        "%d plans of random graphs: the predicted %,d bytes are allocated and written%n",
        cases.size(), cases.stream().mapToLong(each -> each.plan().bytes()).sum());
  }

  @Test
  void modelsUseThePredictedMemory() {
    Parameters parameters = SmallBert.parameters(SmallBert.FOLDER);
    Encoder bert = SmallBert.bert(0.1, new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
    for (KernelMode kernelMode : KernelMode.values()) {
      for (String tokens : List.of("all", "40%")) {
        GraphOptions options = GraphOptions.training(!tokens.equals("all"), name -> true);
        ModelGraph graph = bert.build(parameters, options.withKernelMode(kernelMode));
        Map<String, INDArray> inputs =
            SmallBert.batch(1, RandomTokens.parse(tokens, 1, true), true);
        List<Case> cases = new ArrayList<>();
        for (ActivationCheckpointing level : ActivationCheckpointing.values()) {
          PlanOptions each =
              PlanOptions.gradients(List.of(ModelGraph.LOSS), graph.trainable())
                  .withCheckpointing(level, ModelGraph::isHiddenState);
          cases.add(Case.of(graph.sd(), inputs, each));
          cases.add(Case.of(graph.sd(), inputs, each.withOptimizerInBackward(true)));
        }
        check(cases);
        System.out.printf(
            "BERT, %s tokens, %s: bytes predicted, allocated and written, by checkpointing level,"
                + " with gradients stored and with the optimizer in backward: %s%n",
            tokens, kernelMode, cases.stream().map(each -> each.plan().bytes()).toList());
      }
    }
  }

  @Test
  void closedPlansLeaveNothing() {
    runAndClose(); // once, so that ND4J's permanent caches exist
    NativeMemory.settle();
    long arrays = NativeMemory.arrays();
    long pointers = NativeMemory.pointers();
    int plans = runAndClose();
    NativeMemory.settle();
    System.out.printf(
        "%d plans made, run and closed leave %d bytes of arrays and %d of pointers%n",
        plans, NativeMemory.arrays() - arrays, NativeMemory.pointers() - pointers);
    assertEquals(200, plans);
    assertEquals(arrays, NativeMemory.arrays());
    assertEquals(pointers, NativeMemory.pointers());
  }

  private static int runAndClose() {
    int plans = 0;
    for (int seed = 0; seed < 10; seed++) {
      RandomGraph graph =
          new RandomGraph(seed, seed % 2 == 0 ? KernelMode.FUSED : KernelMode.NATIVE);
      PlanOptions options = PlanOptions.gradients(graph.outputs(), graph.trained());
      try (PlanEngine engine = new PlanEngine(graph.sd(), options)) {
        for (int batch = 2; batch < 22; batch++) {
          engine.run(graph.inputs(batch, 0));
          plans++;
        }
      }
    }
    return plans;
  }
}

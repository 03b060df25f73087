package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.NativeMemory;
import org.tokentune.models.Bert;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Pooling;
import org.tokentune.models.Task;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.Style;
import org.tokentune.plan.Recompute;
import org.tokentune.select.RandomTokens;

/** A training step after the first allocates nothing outside the heap. */
class StepMemoryTest {

  @ParameterizedTest
  @CsvSource({"FUSED", "NATIVE"})
  void stepsAllocateNothing(Style style) throws IOException {
    Bert bert = TrainingEngineTest.bert(0.1, new Head(Task.CLASSIFY, 3, Pooling.FIRST));
    Parameters parameters = TrainingEngineTest.parameters(TrainingEngineTest.FOLDER.toString());
    AdamW optimizer = AdamW.forTransformers(parameters, 0.01);
    ModelGraph graph =
        bert.build(parameters, GraphOptions.training(true, name -> true).withStyle(style));
    List<Map<String, INDArray>> batches = new ArrayList<>();
    for (int step = 0; step < 10; step++) {
      batches.add(TrainingEngineTest.batch(step, RandomTokens.parse("40%", 1, true), true));
    }
    try (TrainingEngine engine = new TrainingEngine(graph, Recompute.ATTENTION, optimizer)) {
      steps(engine, optimizer, batches); // plans, binds and allocates
      for (int round = 0; round < 3; round++) {
        NativeMemory.settle();
        long arrays = NativeMemory.arrays();
        long pointers = NativeMemory.pointers();
        steps(engine, optimizer, batches);
        System.out.printf(
            "%s: %d steps take %d bytes of arrays and %d of pointers more%n",
            style,
            batches.size(),
            NativeMemory.arrays() - arrays,
            NativeMemory.pointers() - pointers);
        if (Style.preferred() == Style.NATIVE) {
          NativeMemory.settle(); // ND4J's own update takes scalars, which go with the garbage
        }
        assertEquals(arrays, NativeMemory.arrays());
      }
    }
  }

  private static void steps(
      TrainingEngine engine, AdamW optimizer, List<Map<String, INDArray>> batches) {
    for (Map<String, INDArray> batch : batches) {
      optimizer.begin(1e-3);
      engine.run(batch);
    }
  }
}

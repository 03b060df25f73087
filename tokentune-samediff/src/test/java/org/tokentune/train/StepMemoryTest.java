package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.NativeMemory;
import org.tokentune.SmallBert;
import org.tokentune.models.Encoder;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.Pooling;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.select.RandomTokens;
import org.tokentune.select.TokenSelector;

/** Training steps and the memory outside the heap. */
class StepMemoryTest {

  private static final Encoder BERT =
      SmallBert.bert(0.1, new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
  private static final TokenSelector SELECTOR = RandomTokens.parse("40%", 1, true);

  private static List<Map<String, INDArray>> batches(int count) {
    List<Map<String, INDArray>> batches = new ArrayList<>();
    for (int step = 0; step < count; step++) {
      batches.add(SmallBert.batch(step, SELECTOR, true));
    }
    return batches;
  }

  /**
   * Steps after the first of their shape allocate nothing.
   *
   * @param scratch bytes that an op may take at once and give back before it ends. ND4J's ops make
   *     themselves scalars to fill memory with; those that add up the gradient of a broadcast
   *     ({@code add_bp}, {@code multiply_bp}, ...), in the native style only, make a copy of it
   *     first
   */
  @ParameterizedTest
  @CsvSource({"FUSED, 4", "NATIVE, 6656"})
  void stepsAllocateNothing(KernelMode kernelMode, long scratch) {
    Parameters parameters = SmallBert.parameters(SmallBert.FOLDER);
    ParameterOptimizer optimizer = new ParameterOptimizer(AdamW.USUAL, parameters, 0.01);
    GraphOptions options = GraphOptions.training(true, name -> true).withKernelMode(kernelMode);
    List<Map<String, INDArray>> batches = batches(10);
    try (TrainingEngine engine =
        new TrainingEngine(
            BERT.build(parameters, options), ActivationCheckpointing.ATTENTION, optimizer)) {
      Runnable steps =
          () ->
              batches.forEach(
                  batch -> {
                    optimizer.begin(1e-3);
                    engine.run(batch);
                  });
      steps.run();
      NativeMemory.settle();
      long arraysBefore = NativeMemory.arrays();
      long pointersBefore = NativeMemory.pointers();
      NativeMemory.within(scratch, steps);
      System.out.printf(
          "%s, %d steps: %d bytes of arrays more, at most %d at any time; %d of pointers%n",
          kernelMode,
          batches.size(),
          NativeMemory.arrays() - arraysBefore,
          scratch,
          NativeMemory.pointers() - pointersBefore);
      assertEquals(arraysBefore, NativeMemory.arrays());
      assertEquals(pointersBefore, NativeMemory.pointers());
    }
  }
}

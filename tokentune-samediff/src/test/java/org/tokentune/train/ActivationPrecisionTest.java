package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.GoldenModel.error;
import static org.tokentune.GoldenModel.largest;
import static org.tokentune.GoldenModel.options;
import static org.tokentune.GoldenModel.selector;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.GoldenModel;
import org.tokentune.models.ModelGraph;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;

/** Activations kept in 16 bits: what it saves, and what it does to the gradients. */
class ActivationPrecisionTest {

  @ParameterizedTest
  @CsvSource({"bert, all", "bert, 40%", "gpt2, 40%", "llama, all", "llama, 40%"})
  void roundsGradientsAndNotTheLoss(String folder, String tokens) {
    GoldenModel golden = GoldenModel.of(folder);
    Map<String, INDArray> inputs = golden.batch(selector(tokens, golden));
    for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
      check(golden, inputs, checkpointing, 0.8, folder + ", " + tokens);
    }
  }

  /** What the smallest models keep is less than their gradients. */
  @ParameterizedTest
  @MethodSource("org.tokentune.GoldenModel#families")
  void everyFamilyRoundsWhatItKeeps(String family) {
    GoldenModel golden = GoldenModel.of(family);
    Map<String, INDArray> inputs = golden.batch(selector("40%", golden));
    check(golden, inputs, ActivationCheckpointing.NOTHING, 1, family + ", 40%");
  }

  private static void check(
      GoldenModel golden,
      Map<String, INDArray> inputs,
      ActivationCheckpointing checkpointing,
      double largestShare,
      String name) {
    TrainingEngine.Result exact = step(golden, inputs, checkpointing, ActivationPrecision.FLOAT32);
    double floor = 1e-2 * largest(exact.gradients());
    long floats = bytes(golden, inputs, checkpointing, ActivationPrecision.FLOAT32);
    for (ActivationPrecision keep : List.of(ActivationPrecision.BF16, ActivationPrecision.F16)) {
      TrainingEngine.Result rounded = step(golden, inputs, checkpointing, keep);
      double worst = 0;
      for (String parameter : exact.gradients().keySet()) {
        INDArray gradient = rounded.gradients().get(parameter);
        worst = Math.max(worst, error(exact.gradients().get(parameter), gradient, floor));
      }
      long halves = bytes(golden, inputs, checkpointing, keep);
      System.out.printf(
          "%s tokens, %s recomputed: %,d bytes as floats, %,d as %s; gradients off by %.1e%n",
          name, checkpointing, floats, halves, keep, worst);
      assertEquals(exact.loss(), rounded.loss());
      assertTrue(
          worst > 0 && worst < (keep == ActivationPrecision.BF16 ? 4e-2 : 5e-3), "off by " + worst);
      if (checkpointing == ActivationCheckpointing.NOTHING) {
        assertTrue(halves <= largestShare * floats);
      }
    }
  }

  private static TrainingEngine.Result step(
      GoldenModel golden,
      Map<String, INDArray> inputs,
      ActivationCheckpointing checkpointing,
      ActivationPrecision keep) {
    return GoldenModel.step(
        golden.model(),
        golden.parameters(),
        name -> true,
        inputs,
        KernelMode.preferred(),
        new MemorySettings(checkpointing, keep, 0));
  }

  private static long bytes(
      GoldenModel golden,
      Map<String, INDArray> inputs,
      ActivationCheckpointing checkpointing,
      ActivationPrecision keep) {
    ModelGraph graph =
        golden
            .model()
            .build(
                golden.parameters(),
                options(inputs, name -> true).withKernelMode(KernelMode.preferred()));
    try (TrainingEngine engine =
        new TrainingEngine(
            graph,
            List.of(),
            new MemorySettings(checkpointing, keep, 0),
            new GradientAccumulator())) {
      return engine.plan(inputs).bytes();
    }
  }
}

package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.formats.SafeTensors;
import org.tokentune.nn.Parameters;

/** Ten steps with clipping give the numbers of {@code torch.optim.AdamW}. */
class AdamWTest {

  private static final Path GOLDEN =
      Path.of("src/test/resources/golden/optimizer/adamw.safetensors");

  /** The warm-up there begins at a third of the peak, here at 0, as transformers' does. */
  @Test
  void scheduleEqualsPyTorch() {
    try (SafeTensors golden = SafeTensors.open(GOLDEN)) {
      INDArray rates = golden.read("learning_rate");
      Schedule cosine = new Schedule(Schedule.Decay.COSINE, 3);
      for (int step = 0; step < 10; step++) {
        double expected = step < 3 ? 0.01 * step / 3 : rates.getDouble(step);
        assertEquals(expected, cosine.rate(0.01, step, 10), 1e-9);
      }
    }
  }

  @Test
  void equalsPyTorch() {
    try (SafeTensors golden = SafeTensors.open(GOLDEN)) {
      Parameters parameters =
          new Parameters(Map.of("w", golden.read("w.0"), "b", golden.read("b.0")));
      ParameterOptimizer optimizer =
          new ParameterOptimizer(AdamW.USUAL, parameters, name -> 0.01, name -> 1);
      INDArray rates = golden.read("learning_rate");
      double worst = 0;
      for (int step = 1; step <= 10; step++) {
        Map<String, INDArray> gradients = new TreeMap<>();
        gradients.put("w", golden.read("w.grad." + step));
        gradients.put("b", golden.read("b.grad." + step));
        GradientClipping.byGlobalNorm(gradients, 1.0);
        optimizer.step(gradients, rates.getDouble(step - 1));
        for (String name : parameters.names()) {
          INDArray expected = golden.read(name + "." + step);
          double error = parameters.get(name).sub(expected).amaxNumber().doubleValue();
          worst = Math.max(worst, error / expected.amaxNumber().doubleValue());
        }
      }
      System.out.printf("AdamW, 10 steps with clipping and schedule: largest error %.1e%n", worst);
      assertTrue(worst < 1e-5, "error " + worst);
    }
  }
}

package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.GoldenModel;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;

/** Compared with PyTorch's autograd; {@code acceptance/attribution.py} records it. */
class InputGradientsTest {

  private static INDArray ints(JsonNode rows) {
    int[][] values = new int[rows.size()][rows.get(0).size()];
    for (int i = 0; i < values.length; i++) {
      for (int j = 0; j < values[i].length; j++) {
        values[i][j] = rows.get(i).get(j).asInt();
      }
    }
    return Nd4j.createFromArray(values);
  }

  @Test
  void equalsPyTorch() throws IOException {
    JsonNode cases =
        new ObjectMapper().readTree(GoldenModel.GOLDEN.resolve("attribution.json").toFile());
    assertEquals(3, cases.size());
    for (JsonNode one : cases) {
      GoldenModel golden = GoldenModel.of(one.get("model").asText());
      for (KernelMode kernelMode : KernelMode.values()) {
        double error = error(golden, golden.parameters(), one, kernelMode);
        System.out.printf("%s, %s: error %.1e%n", one.get("model").asText(), kernelMode, error);
        assertTrue(error < 1e-5);
      }
      Parameters stored =
          ParameterLoader.stored(golden.model(), golden.parameters(), WeightStorage.BF16);
      double rounded = error(golden, stored, one, KernelMode.FUSED);
      assertTrue(rounded > 1e-5 && rounded < 0.1, "16 bits differ by " + rounded);
    }
  }

  /** The largest difference over the largest value, of the tokens that are not padding. */
  private static double error(
      GoldenModel golden, Parameters parameters, JsonNode one, KernelMode kernelMode) {
    INDArray mask = ints(one.get("mask"));
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, ints(one.get("ids")));
    inputs.put(ModelGraph.ATTENTION_MASK, mask);
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, Nd4j.zeros(DataType.INT32, mask.shape()));
    double[][] actual;
    try (InputGradients gradients = new InputGradients(golden.model(), parameters, kernelMode)) {
      actual =
          gradients.run(
              inputs, one.get("outputs").get(0).asInt(), one.get("outputs").get(1).asInt());
    }
    double worst = 0;
    double largest = 0;
    for (int i = 0; i < actual.length; i++) {
      for (int j = 0; j < actual[i].length; j++) {
        double expected = one.get("products").get(i).get(j).asDouble();
        largest = Math.max(largest, Math.abs(expected));
        worst = Math.max(worst, mask.getInt(i, j) * Math.abs(actual[i][j] - expected));
      }
    }
    return worst / largest;
  }
}

package org.tokentune.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.nn.Parameters;
import org.tokentune.train.ArrayBytes;
import org.tokentune.train.ParameterOptimizer;

class AverageTest {

  private static Share.Result result(Map<String, float[]> state, int updates, float[]... values) {
    Map<String, SentArray> sent = new LinkedHashMap<>();
    state.forEach((name, array) -> sent.put(name, SentArray.of(Nd4j.createFromArray(array))));
    List<byte[]> arrays =
        List.of(values).stream().map(array -> ArrayBytes.of(Nd4j.createFromArray(array))).toList();
    return new Share.Result(
        null,
        0,
        List.of(),
        List.of(),
        Map.of(),
        new Values(arrays, updates, sent),
        null,
        null,
        false);
  }

  /** The second task has updated only the first of two parameters, and less often. */
  @Test
  void takesMeansOfValuesAndOfState() {
    Parameters parameters =
        new Parameters(
            Map.of(
                "a", Nd4j.createFromArray(9f, 9f),
                "b", Nd4j.createFromArray(9f),
                "frozen", Nd4j.createFromArray(7f)));
    ParameterOptimizer.State state =
        new Average(parameters, List.of("a", "b"))
            .of(
                List.of(
                    result(
                        Map.of("a.exp_avg", new float[] {1, 2}, "b.exp_avg", new float[] {8}),
                        4,
                        new float[] {1, -3},
                        new float[] {5}),
                    result(
                        Map.of("a.exp_avg", new float[] {3, -4}),
                        3,
                        new float[] {2, 4},
                        new float[] {6})));
    System.out.println(parameters.asMap() + ", state " + state);
    assertArrayEquals(new float[] {1.5f, 0.5f}, parameters.get("a").toFloatVector());
    assertArrayEquals(new float[] {5.5f}, parameters.get("b").toFloatVector());
    assertArrayEquals(new float[] {7}, parameters.get("frozen").toFloatVector());
    assertEquals(4, state.steps());
    assertEquals(2, state.arrays().size());
    assertArrayEquals(new float[] {2, -1}, state.arrays().get("a.exp_avg").toFloatVector());
    assertArrayEquals(
        new float[] {4}, state.arrays().get("b.exp_avg").toFloatVector(), "0 in the other task");
  }
}

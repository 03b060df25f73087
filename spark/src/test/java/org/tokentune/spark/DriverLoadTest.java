package org.tokentune.spark;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.nn.Parameters;
import org.tokentune.train.TrainingCluster.Exchange;

class DriverLoadTest {

  /** Of 6,000 numbers 1,000 train. */
  private static DriverLoad load(int syncEvery, GradientPrecision precision, boolean oneProcess) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    arrays.put("frozen", Nd4j.zeros(5_000));
    arrays.put("trains", Nd4j.zeros(1_000));
    Parameters parameters = new Parameters(arrays);
    SparkSteps.Options options =
        new SparkSteps.Options(2, 1, Duration.ofMinutes(1), syncEvery, precision, Exchange.SPARK);
    return DriverLoad.of(parameters, List.of("trains"), 8_000, options, oneProcess);
  }

  @Test
  void countsWhatIsSentAndReturned() {
    DriverLoad exact = load(1, GradientPrecision.FLOAT32, false);
    DriverLoad half = load(1, GradientPrecision.BFLOAT16, false);
    DriverLoad averages = load(4, GradientPrecision.FLOAT32, false);
    System.out.println(exact + "\n" + half + "\n" + averages);
    assertEquals(new DriverLoad(4_000, 4_000, 20_000, 2, 0, false), exact);
    assertEquals(new DriverLoad(4_000, 2_000, 20_000, 2, 0, false), half);
    assertEquals(
        new DriverLoad(12_000, 12_000, 20_000, 2, 0, false), averages, "with AdamW's two moments");
    assertEquals(3 * 2 * 4_000 + 2 * 4_000 + 2 * 20_000, exact.heap());
    assertEquals(
        5 * 2 * 4_000 + 2 * 4_000 + 20_000, load(1, GradientPrecision.FLOAT32, true).heap());
  }

  @Test
  void saysWhatIsTooLittle() {
    DriverLoad load = new DriverLoad(40_000_000, 20_000_000, 200_000_000, 2, 0, false);
    assertDoesNotThrow(() -> load.check(40_000_000, "most", 600_000_000));
    assertDoesNotThrow(() -> load.check(0, "most", 600_000_000));
    assertSays(
        "What tasks return takes 2 times 20 MB, more than most lets through (39 MB); raise it, or train"
            + " adapters or fewer parameters.",
        load,
        39_000_000,
        600_000_000);
    assertSays(
        "What tasks return takes 2 times 20 MB, and what they are sent 240 MB, for which the driver's heap"
            + " of 599 MB is too small; give it 750 MB (-Xmx, or spark.driver.memory), or train"
            + " adapters or fewer parameters.",
        load,
        0,
        599_000_000);
  }

  /** 90 MB that train, with AdamW's moments, in two tasks. */
  @Test
  void executorsHoldWhatTheyExchange() {
    SparkSteps.Options options =
        new SparkSteps.Options(
            2, 1, Duration.ofMinutes(1), 1, GradientPrecision.FLOAT32, Exchange.DIRECT);
    long values = 90_000_000;
    long needed = 5 * 3 * values + 2 * values + values / 2;
    assertDoesNotThrow(
        () -> DriverLoad.checkExecutor(values, 2 * values, options, needed, "memory"));
    BadInputException e =
        assertThrows(
            BadInputException.class,
            () -> DriverLoad.checkExecutor(values, 2 * values, options, 1_500_000_000, "memory"));
    System.out.println(e.getMessage());
    assertEquals(
        "memory is 1,500 MB, and a task that exchanges gradients needs 1,968 MB of heap for values, the"
            + " optimizer's state and gradients; raise it, train adapters or fewer parameters, or leave"
            + " exchange at spark.",
        e.getMessage());
  }

  private static void assertSays(String sentence, DriverLoad load, long results, long heap) {
    BadInputException e =
        assertThrows(BadInputException.class, () -> load.check(results, "most", heap));
    System.out.println(e.getMessage());
    assertEquals(sentence, e.getMessage());
  }
}

package org.tokentune.objectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

class MetricsTest {

  private static final double EXACT = 1e-12;

  /** Degenerate ones are among them: a class that is never actual, never predicted, or neither. */
  @Test
  void equalScikitLearnsAndSciPysOnRecordedCases() throws IOException {
    JsonNode golden;
    try (InputStream in = MetricsTest.class.getResourceAsStream("/golden/metrics/cases.json")) {
      golden = new ObjectMapper().readTree(in);
    }
    double largest = 0;
    for (JsonNode each : golden.get("cases")) {
      int classes = each.get("classes").asInt();
      long[][] confusion = new long[classes][classes];
      for (int i = 0; i < each.get("actual").size(); i++) {
        confusion[each.at("/actual/" + i).asInt()][each.at("/predicted/" + i).asInt()]++;
      }
      double[] numbers = doubles(each.get("numbers"));
      double[] estimates = doubles(each.get("estimates"));
      largest = Math.max(largest, error(each, "accuracy", Metrics.accuracy(confusion)));
      largest = Math.max(largest, error(each, "macro_f1", Metrics.macroF1(confusion)));
      if (classes == 2) {
        largest = Math.max(largest, error(each, "f1", Metrics.f1(confusion, 1)));
        largest = Math.max(largest, error(each, "matthews", Metrics.matthews(confusion)));
      }
      double squared = Metrics.meanSquaredError(numbers, estimates);
      largest = Math.max(largest, error(each, "mean_squared_error", squared));
      largest = Math.max(largest, error(each, "pearson", Metrics.pearson(numbers, estimates)));
      largest = Math.max(largest, error(each, "spearman", Metrics.spearman(numbers, estimates)));
    }
    System.out.printf(
        "Largest difference from %s in %d cases: %.1e%n",
        golden.get("made_by").asText(), golden.get("cases").size(), largest);
    assertEquals(20, golden.get("cases").size());
    assertTrue(largest < EXACT, "largest difference " + largest);
  }

  @Test
  void ofNothingVaryingThereIsNoCorrelation() {
    double[] constant = {3, 3, 3};
    double[] varying = {1, 2, 3};
    assertEquals(Double.NaN, Metrics.pearson(constant, varying));
    assertEquals(Double.NaN, Metrics.spearman(varying, constant));
  }

  private static double error(JsonNode expected, String metric, double value) {
    return Math.abs(expected.get(metric).asDouble() - value);
  }

  private static double[] doubles(JsonNode values) {
    return StreamSupport.stream(values.spliterator(), false)
        .mapToDouble(JsonNode::asDouble)
        .toArray();
  }
}

package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.objectives.Objectives;

/** {@code evaluate --html}: its numbers, from probabilities that are given. */
class EvaluationPageTest {

  private static JsonNode data(String html) throws JsonProcessingException {
    String start = "id=\"data\">";
    int from = html.indexOf(start) + start.length();
    return new ObjectMapper().readTree(html.substring(from, html.indexOf("</script>", from)));
  }

  /**
   * scikit-learn 1.9.1's average_precision_score and precision_recall_curve for the same numbers.
   */
  @Test
  void averagePrecisionIsThatOfScikitLearn() {
    double[] probabilities = {0.9, 0.8, 0.8, 0.6, 0.55, 0.4, 0.4, 0.2};
    boolean[] actual = {true, false, true, true, false, false, true, false};
    PrecisionRecall curve = PrecisionRecall.of(probabilities, actual);
    System.out.println(curve);
    assertEquals(0.7470238095238095, curve.average(), 1e-12);
    assertEquals(6, curve.points().size());
    assertEquals(new PrecisionRecall.Point(0.5, 2 / 3.0, 0.8), curve.points().get(1));
    assertTrue(Double.isNaN(PrecisionRecall.of(probabilities, new boolean[8]).average()));
  }

  @Test
  void binsOfCalibrationHoldTheirEnds() {
    Calibration calibration = new Calibration();
    calibration.add(1, true);
    calibration.add(0.95, false);
    calibration.add(0.6, true);
    calibration.add(0, false);
    System.out.println(calibration.bins());
    assertEquals(2, calibration.bins().get(9).count());
    assertEquals(1, calibration.bins().get(6).count());
    // (2 * |0.975 - 0.5| + |0.6 - 1| + 0) / 4
    assertEquals(0.3375, calibration.expectedError(), 1e-12);
    assertEquals(0.475, calibration.largestError(), 1e-12);
    assertEquals(0, new Calibration().expectedError());
  }

  @Test
  void rowsAreUntrusted() throws JsonProcessingException {
    String evil = "</script><script>alert('x')</script><!-- {{data}} \u2028 \0";
    Labels labels = new Labels(Objectives.CLASSIFY, List.of("no", evil));
    List<Example> rows = List.of(new Example(evil, evil, "no"), new Example("fine", "no"));
    String html =
        new EvaluationPage(
                labels, rows, List.of(new double[][] {{0.1, 0.9}}, new double[][] {{0.8, 0.2}}))
            .html(evil, evil);
    assertFalse(html.contains("alert('x')</script>"), "a text must not end the script");
    assertEquals(2, html.split("</script>", -1).length - 1);
    JsonNode data = data(html);
    System.out.println(data.path("wrong"));
    assertEquals(evil + "\n\n" + evil, data.at("/wrong/0/text").asText());
    assertEquals("[[1,1],[0,0]]", data.path("confusion").toString());
    assertEquals(-Math.log(0.1), data.at("/wrong/0/loss").asDouble(), 1e-12);
    assertEquals(1, data.path("wrong_rows").asInt());
    assertEquals(
        "no (0.100), predicted " + evil + " (0.900)", data.at("/wrong/0/decisions/0").asText());
    assertTrue(data.at("/labels/1/recall").isNull() && data.at("/labels/1/curve").isEmpty());
    assertEquals(2 / 3.0, data.at("/labels/0/f1").asDouble(), 1e-12);
  }

  @Test
  void severalLabelsAndTagsHaveDecisionsOfTheirOwn() throws JsonProcessingException {
    Labels flags = new Labels(Objectives.MULTILABEL, List.of("a", "b", "c"));
    List<Example> rows =
        List.of(new Example("x", "a,c"), new Example("y", ""), new Example("z", "b"));
    JsonNode several =
        data(
            new EvaluationPage(
                    flags,
                    rows,
                    List.of(
                        new double[][] {{0.9, 0.2, 0.3}},
                        new double[][] {{0.1, 0.2, 0.6}},
                        new double[][] {{0.1, 0.7, 0.1}}))
                .html("", ""));
    System.out.println(several.path("wrong"));
    assertFalse(several.has("confusion"));
    assertEquals(9, several.at("/calibration/count").asInt());
    assertEquals(
        "[\"c applies (0.300)\"][\"c does not apply (0.600)\"]",
        several.at("/wrong/0/decisions") + "" + several.at("/wrong/1/decisions"));

    Labels tags = new Labels(Objectives.TOKEN, List.of("O", "B"));
    JsonNode tagged =
        data(
            new EvaluationPage(
                    tags,
                    List.of(new Example("in Rome now then", "O B O O")),
                    List.<double[][]>of(new double[][] {{0.9, 0.1}, {0.7, 0.3}, {0.5, 0.5}, null}))
                .html("", ""));
    System.out.println(tagged.path("wrong"));
    assertEquals("[[2,0],[1,0]]", tagged.path("confusion").toString());
    assertEquals(
        "Rome: B (0.300), predicted O (0.700)", tagged.at("/wrong/0/decisions/0").asText());
  }

  @Test
  void manyClassesAreAListOfWhatIsConfused() throws JsonProcessingException {
    int classes = 60;
    List<String> names = new ArrayList<>();
    List<Example> rows = new ArrayList<>();
    List<double[][]> probabilities = new ArrayList<>();
    for (int i = 0; i < classes; i++) {
      names.add("class " + i);
      rows.add(new Example("text", "class " + i));
      double[] one = new double[classes];
      one[i / 2] = 1;
      probabilities.add(new double[][] {one});
    }
    JsonNode data =
        data(
            new EvaluationPage(new Labels(Objectives.CLASSIFY, names), rows, probabilities)
                .html("", ""));
    System.out.println(data.path("confused"));
    assertEquals(40, data.path("confused").size());
    assertEquals(50, data.path("wrong").size());
    assertEquals(classes - 1, data.path("wrong_rows").asInt());
  }
}

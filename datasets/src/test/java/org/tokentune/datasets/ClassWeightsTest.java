package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokentune.BadInputException;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

class ClassWeightsTest {

  private static List<Double> balanced(Objective task, String... labels) {
    List<Example> rows = Stream.of(labels).map(label -> new Example("a b c", label)).toList();
    return ClassWeights.BALANCED.of(Labels.of(task, rows), rows);
  }

  /** {@code compute_class_weight("balanced", classes=["a", "b"], y=["a", "a", "a", "b"])}. */
  @Test
  void balancedWeightsAreThoseOfScikitLearn() {
    assertEquals(List.of(4 / 6.0, 2.0), balanced(Objectives.CLASSIFY, "a", "a", "a", "b"));
    assertEquals(List.of(6 / 4.0, 6 / 8.0), balanced(Objectives.TOKEN, "O O B", "O B O"));
    assertEquals(List.of(1 / 3.0, 1.0), balanced(Objectives.MULTILABEL, "a", "a,b", "a,b", ""));
  }

  @Test
  void aLabelWithoutRowsHasWeight1() {
    Labels labels = new Labels(Objectives.CLASSIFY, List.of("a", "b", "c"));
    List<Example> rows = List.of(new Example("x", "a"), new Example("y", "c"));
    assertEquals(List.of(1.0, 1.0, 1.0), ClassWeights.BALANCED.of(labels, rows));
  }

  @Test
  void readsWeightsByLabel() {
    assertEquals(ClassWeights.BALANCED, ClassWeights.parse("Balanced"));
    assertEquals(
        Map.of("good", 1.0, "a, b", 5.5, "x=y", 2e-3),
        ClassWeights.parse("good=1,a, b=5.5,x=y=2e-3").byLabel());
    Labels labels = new Labels(Objectives.CLASSIFY, List.of("bad", "good", "other"));
    assertEquals(List.of(5.0, 2.0, 1.0), ClassWeights.parse("good=2,bad=5").of(labels, List.of()));
    String message =
        assertThrows(
                BadInputException.class, () -> ClassWeights.parse("god=2").of(labels, List.of()))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains("[god]") && message.contains("[bad, good, other]"), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "even", "good=", "good=1,bad", "good=1,,", "good=-1", "=1", "good=1,"})
  void rejects(String text) {
    assertThrows(BadInputException.class, () -> ClassWeights.parse(text));
  }
}

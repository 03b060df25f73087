package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.tokentune.BadInputException;
import org.tokentune.objectives.Objectives;

class DataSplitTest {

  private static List<Example> rows(String... labels) {
    return Stream.of(labels).map(label -> new Example("text of " + label, label)).toList();
  }

  @Test
  void movesOnlyRowsWithMissingLabels() {
    DataSplit split = new DataSplit(rows("a", "b"), rows("a", "c", "c", "d", "b"), rows("d", "e"));
    DataSplit whole = split.withEveryLabel(Objectives.CLASSIFY);
    assertEquals(rows("a", "b", "c", "d", "e"), whole.train());
    assertEquals(rows("a", "c", "b"), whole.validation());
    assertEquals(rows("d"), whole.test());
    assertSame(whole, whole.withEveryLabel(Objectives.CLASSIFY));
    assertSame(split, split.withEveryLabel(Objectives.REGRESS));
  }

  @Test
  void movesLabelsAndTagsWithTheirRows() {
    DataSplit labels = new DataSplit(rows("a,b"), rows("b,c", "", "c,a"), List.of());
    assertEquals(rows("", "c,a"), labels.withEveryLabel(Objectives.MULTILABEL).validation());
    DataSplit tags = new DataSplit(rows("O O"), rows("O B", "B I", "O"), List.of());
    assertEquals(rows("O O", "O B", "B I"), tags.withEveryLabel(Objectives.TOKEN).train());
  }

  @Test
  void rejectsAnEmptyValidationPart() {
    DataSplit split = new DataSplit(rows("a", "b"), rows("c", "d"), List.of());
    String message =
        assertThrows(BadInputException.class, () -> split.withEveryLabel(Objectives.CLASSIFY))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains("2 rows") && message.contains("[c, d]"), message);
  }
}

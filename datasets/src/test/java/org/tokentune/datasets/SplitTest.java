package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.tokentune.BadInputException;

class SplitTest {

  private static final List<Integer> ROWS = IntStream.range(0, 25).boxed().toList();

  private static void assertWhole(Split<Integer> split, int validation) {
    assertEquals(validation, split.validation().size());
    assertEquals(ROWS.size() - validation, split.train().size());
    List<Integer> all = new ArrayList<>(split.train());
    all.addAll(split.validation());
    assertEquals(ROWS, all.stream().sorted().toList());
    assertTrue(split.test().isEmpty());
  }

  @Test
  void drawsBySeed() {
    Split<Integer> split = Split.drawn(ROWS, 0.2, 1);
    assertWhole(split, 5);
    assertEquals(split, Split.drawn(ROWS, 0.2, 1));
    assertTrue(!split.equals(Split.drawn(ROWS, 0.2, 2)));
  }

  @Test
  void takesTheLastRows() {
    assertWhole(Split.atEnd(ROWS, 0.2), 5);
    assertEquals(ROWS.subList(20, 25), Split.atEnd(ROWS, 0.2).validation());
    assertEquals(List.of(24), Split.atEnd(ROWS, 0.01).validation());
  }

  @Test
  void limitsTheTrainingRowsOnly() {
    Split<Integer> split = Split.atEnd(ROWS, 0.2).withTest(List.of(7));
    Split<Integer> limited = split.withTrainLimit(3, 1);
    assertEquals(3, limited.train().size());
    assertTrue(split.train().containsAll(limited.train()));
    assertEquals(split.validation(), limited.validation());
    assertEquals(List.of(7), limited.test());
    assertEquals(20, split.withTrainLimit(100, 1).train().size());
  }

  @Test
  void blocksOfTextAreInOnePart() {
    int[] tokens = IntStream.range(0, 100).toArray();
    Split<TokenBatches.Row> split = TextBlocks.split(tokens, 0.1, 16);
    assertEquals(6, split.train().size());
    assertEquals(89, split.train().get(5).ids()[9]);
    assertEquals(1, split.validation().size());
    assertEquals(90, split.validation().get(0).ids()[0]);
  }

  @Test
  void badInputGetsASentence() {
    for (Runnable wrong :
        List.<Runnable>of(
            () -> Split.drawn(ROWS, 1, 1),
            () -> Split.atEnd(ROWS, -0.1),
            () -> TextBlocks.split(new int[8], 1, 4),
            () -> Split.atEnd(ROWS, 0.1).withTrainLimit(0, 1))) {
      System.out.println(assertThrows(BadInputException.class, wrong::run).getMessage());
    }
  }
}

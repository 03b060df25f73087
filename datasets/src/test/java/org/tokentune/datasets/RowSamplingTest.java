package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.objectives.Objectives;

class RowSamplingTest {

  private static List<Example> rows(String text, int count, String label) {
    return IntStream.range(0, count).mapToObj(i -> new Example(text + i, label)).toList();
  }

  private static List<Example> of(List<Integer> drawn, List<Example> rows, List<Example> source) {
    return drawn.stream().map(rows::get).filter(source::contains).toList();
  }

  /** 20 rows of weight 2 and 70 of weight 1 are 90 rows, of which 60 and 30 are drawn. */
  @Test
  void mixesFilesByTheirWeights() {
    List<Example> one = rows("one ", 20, "a");
    List<Example> other = rows("other ", 70, "a");
    List<Example> train = new ArrayList<>(one);
    train.addAll(other);
    Collections.shuffle(train, new Random(5));
    RowSampling sampling = RowSampling.bySource(List.of(one, other), List.of(2.0, 1.0), train);
    assertArrayEquals(new int[] {60, 30}, sampling.counts());
    List<Integer> drawn = sampling.draw(new Random(1));
    assertEquals(90, drawn.size());
    List<Example> ofOne = of(drawn, train, one);
    one.forEach(row -> assertEquals(3, Collections.frequency(ofOne, row)));
    assertEquals(30, new HashSet<>(of(drawn, train, other)).size());
    assertEquals(drawn, sampling.draw(new Random(1)));
    assertNotEquals(drawn, sampling.draw(new Random(2)));
  }

  /** Of 13 and 87 rows 50 each: each rare one 3 or 4 times, 50 frequent ones once. */
  @Test
  void givesEveryClassAsManyRows() {
    List<Example> rows = new ArrayList<>(rows("rare ", 13, "rare"));
    rows.addAll(rows("frequent ", 87, "frequent"));
    Labels labels = Labels.of(Objectives.CLASSIFY, rows);
    List<Integer> drawn = RowSampling.byClass(labels, rows).draw(new Random(3));
    List<Integer> rare = drawn.stream().filter(row -> row < 13).toList();
    assertEquals(50, rare.size());
    for (int row = 0; row < 13; row++) {
      assertEquals(3.5, Collections.frequency(rare, row), 0.5);
    }
    assertEquals(50, drawn.stream().filter(row -> row >= 13).distinct().count());
  }

  @Test
  void ofOtherRowsIsRefused() {
    RowSampling sampling = new RowSampling(List.of(0, 1, 0), List.of(1.0, 1.0));
    BadDataException refused =
        assertThrows(BadDataException.class, () -> RowSampling.numbers(sampling, 2, new Random(1)));
    assertEquals(
        "The sampling is of 3 rows, but there are 2 training rows; give one of these.",
        refused.getMessage());
    assertEquals(List.of(0, 1), RowSampling.numbers(null, 2, new Random(1)));
  }

  /** The numbers of rows of three parts add up, whatever the weights. */
  @Test
  void roundsToTheWholeNumber() {
    RowSampling sampling = new RowSampling(List.of(0, 1, 2, 0, 1, 2, 0), List.of(1.0, 1.0, 1.0));
    assertArrayEquals(new int[] {3, 2, 2}, sampling.counts());
    RowSampling uneven = new RowSampling(sampling.parts(), List.of(0.1, 0.1, 5.0));
    assertArrayEquals(new int[] {0, 0, 7}, uneven.counts());
    assertEquals(
        List.of(0, 0, 1, 2),
        new RowSampling(List.of(0, 1, 2), uneven.weights()).repeated(List.of(2, 1, 1)).parts());
  }

  @Test
  void rejects() {
    List<Example> rows = rows("text ", 3, "a");
    for (Runnable wrong :
        List.<Runnable>of(
            () -> new RowSampling(List.of(0, 0), List.of(1.0, 1.0)),
            () -> new RowSampling(List.of(0), List.of(0.0)),
            () -> RowSampling.bySource(List.of(rows), List.of(1.0, 2.0), rows),
            () -> RowSampling.bySource(List.of(rows), List.of(1.0), rows("new ", 1, "a")),
            () -> RowSampling.byClass(new Labels(Objectives.REGRESS, List.of("x")), rows))) {
      System.out.println(assertThrows(BadInputException.class, wrong::run).getMessage());
    }
  }
}

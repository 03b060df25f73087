package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;
import org.tokentune.objectives.Objectives;
import org.tokentune.select.TokenSelector;

class PackingTest {

  /** Rows of these lengths; of row i all tokens are 100 i, 100 i + 1 and so on. */
  private static List<TokenBatches.Row> rows(int... lengths) {
    List<TokenBatches.Row> rows = new ArrayList<>();
    for (int i = 0; i < lengths.length; i++) {
      int first = 100 * i;
      rows.add(
          TokenBatches.Row.ofText(IntStream.range(first, first + lengths[i]).toArray(), i % 3));
    }
    return rows;
  }

  /** The texts of a packed row: their ids, and their labels but for the first. */
  private static List<String> texts(TokenBatches.Row row) {
    List<String> texts = new ArrayList<>();
    int[] starts = row.typeIds();
    for (int from = 0; from < starts.length; ) {
      assertEquals(from, starts[from]);
      int to = from;
      while (to < starts.length && starts[to] == from) {
        to++;
      }
      assertEquals(TokenSelector.NO_LABEL, row.labels()[from]);
      texts.add(
          Arrays.toString(Arrays.copyOfRange(row.ids(), from, to))
              + Arrays.toString(Arrays.copyOfRange(row.labels(), from + 1, to)));
      from = to;
    }
    return texts;
  }

  @Test
  void everyTextIsInOneRow() {
    Random random = new Random(3);
    int[] lengths = random.ints(500, 1, 65).toArray();
    List<TokenBatches.Row> rows = rows(lengths);
    List<TokenBatches.Row> packed = Packing.pack(rows, 64);
    List<String> expected =
        rows.stream()
            .map(
                row ->
                    Arrays.toString(row.ids())
                        + Arrays.toString(Arrays.copyOfRange(row.labels(), 1, row.labels().length)))
            .sorted()
            .toList();
    List<String> found = packed.stream().flatMap(row -> texts(row).stream()).sorted().toList();
    assertEquals(expected, found);
    int tokens = Arrays.stream(lengths).sum();
    int longest = packed.stream().mapToInt(row -> row.ids().length).max().orElseThrow();
    System.out.printf(
        "%d texts of %,d tokens in %d rows of 64: %.1f%% full%n",
        rows.size(), tokens, packed.size(), 100.0 * tokens / (64 * packed.size()));
    assertEquals(64, longest);
    assertTrue(packed.size() <= 1.03 * tokens / 64, "rows: " + packed.size());
    assertEquals(500, packed.stream().mapToInt(Packing::texts).sum());
  }

  @Test
  void theFullestRowWithRoomIsTaken() {
    List<TokenBatches.Row> packed = Packing.pack(rows(3, 7, 5, 2), 10);
    assertEquals(2, packed.size());
    assertArrayEquals(new int[] {100, 101, 102, 103, 104, 105, 106, 0, 1, 2}, packed.get(0).ids());
    assertArrayEquals(new int[] {0, 0, 0, 0, 0, 0, 0, 7, 7, 7}, packed.get(0).typeIds());
    assertArrayEquals(new int[] {200, 201, 202, 203, 204, 300, 301}, packed.get(1).ids());
    MultiDataSet batch = TokenBatches.byLength(packed, Objectives.CAUSAL_LM, 2).next();
    System.out.println(batch.getFeatures(2));
    assertArrayEquals(
        new int[][] {{0, 0, 0, 0, 0, 5, 5, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 7, 7, 7}},
        batch.getFeatures(2).toIntMatrix());
    assertTrue(Packing.pack(List.of(), 4).isEmpty());
    BadInputException tooLong =
        assertThrows(BadInputException.class, () -> Packing.pack(rows(2, 5), 4));
    System.out.println(tooLong.getMessage());
    assertTrue(tooLong.getMessage().contains("5 tokens is longer than the 4"));
  }
}

package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.select.TokenSelector;

/**
 * Packs rows of a causal language model, so that batches have little padding. No token attends to
 * another text of its row, positions begin anew with every text, and the first token of a text is
 * not predicted: rows train as if they were apart.
 *
 * <p>The longest rows come first, each into the packed row in which it leaves the least room (best
 * fit decreasing: Johnson et al., 1974).
 */
public final class Packing {

  private Packing() {}

  /**
   * Packs rows. The same rows are packed in the same way.
   *
   * @param rows unpacked, each with labels for its tokens
   * @param length tokens of a packed row at most
   * @throws BadInputException if a row is longer
   */
  public static List<TokenBatches.Row> pack(List<TokenBatches.Row> rows, int length) {
    required(rows, "rows");

    List<TokenBatches.Row> longestFirst =
        rows.stream()
            .sorted(Comparator.comparing((TokenBatches.Row row) -> -row.ids().length))
            .toList();
    if (!rows.isEmpty() && longestFirst.get(0).ids().length > length) {
      throw new BadDataException(
          "A row of %,d tokens is longer than the %,d of a packed row; cut it, or allow longer ones.",
          longestFirst.get(0).ids().length, length);
    }
    List<List<TokenBatches.Row>> packed = new ArrayList<>();
    TreeMap<Integer, List<Integer>> byRoom = new TreeMap<>();
    for (TokenBatches.Row row : longestFirst) {
      int tokens = row.ids().length;
      Integer room = byRoom.ceilingKey(tokens);
      int number = packed.size();
      if (room == null) {
        packed.add(new ArrayList<>());
        room = length;
      } else {
        List<Integer> numbers = byRoom.get(room);
        number = numbers.remove(numbers.size() - 1);
        if (numbers.isEmpty()) {
          byRoom.remove(room);
        }
      }
      packed.get(number).add(row);
      byRoom.computeIfAbsent(room - tokens, key -> new ArrayList<>()).add(number);
    }
    return packed.stream().map(Packing::join).toList();
  }

  private static TokenBatches.Row join(List<TokenBatches.Row> texts) {
    int tokens = texts.stream().mapToInt(text -> text.ids().length).sum();
    int[] ids = new int[tokens];
    int[] starts = new int[tokens];
    float[] labels = new float[tokens];
    int start = 0;
    for (TokenBatches.Row text : texts) {
      int end = start + text.ids().length;
      System.arraycopy(text.ids(), 0, ids, start, end - start);
      System.arraycopy(text.labels(), 0, labels, start, end - start);
      Arrays.fill(starts, start, end, start);
      labels[start] = TokenSelector.NO_LABEL; // it follows on nothing
      start = end;
    }
    return new TokenBatches.Row(ids, starts, labels);
  }

  /** How many texts a row has: more than one if it is packed. */
  public static int texts(TokenBatches.Row row) {
    required(row, "row");

    return (int) IntStream.of(row.typeIds()).distinct().count();
  }
}

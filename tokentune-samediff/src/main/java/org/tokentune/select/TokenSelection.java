package org.tokentune.select;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.IntStream;
import org.tokentune.BadSettingsException;

/**
 * The split of a batch's positions into two streams. Rows are sorted.
 *
 * @param selected [batch, k] positions that carry gradient
 * @param frozen [batch, length - k] all other positions
 */
public record TokenSelection(int[][] selected, int[][] frozen) {

  /** Rejects lengths that do not fit a batch. */
  static void check(int[] lengths, int paddedLength) {
    required(lengths, "lengths");

    if (lengths.length == 0) {
      throw BadSettingsException.of("lengths", "must be at least one, got none.");
    }
    for (int length : lengths) {
      if (length < 1 || length > paddedLength) {
        throw BadSettingsException.of(
            "lengths",
            "must be at least 1 and at most paddedLength, %d, got %d.",
            paddedLength,
            length);
      }
    }
  }

  /** Completes selected positions with the frozen ones of a batch padded to {@code length}. */
  static TokenSelection of(int[][] selected, int length) {
    int[][] frozen = new int[selected.length][];
    for (int row = 0; row < selected.length; row++) {
      BitSet taken = new BitSet(length);
      for (int position : selected[row]) {
        taken.set(position);
      }
      frozen[row] = IntStream.range(0, length).filter(i -> !taken.get(i)).toArray();
    }
    return new TokenSelection(selected, frozen);
  }

  /** One more than the last selected position of any row. */
  public int end() {
    return Arrays.stream(selected).mapToInt(row -> row[row.length - 1] + 1).max().orElseThrow();
  }

  /** The same for a batch truncated to {@code length} positions, at least {@link #end()}. */
  public TokenSelection within(int length) {
    return of(selected, length);
  }

  /** Selected positions per row. */
  public int k() {
    return selected[0].length;
  }

  /**
   * The labels of the selected positions that have one.
   *
   * @param labels [batch][length], {@value TokenSelector#NO_LABEL} for none
   */
  public IntStream labels(int[][] labels) {
    return IntStream.range(0, selected.length)
        .flatMap(row -> Arrays.stream(selected[row]).map(i -> labels[row][i]))
        .filter(label -> label != TokenSelector.NO_LABEL);
  }

  /** Whether nothing is frozen: ordinary fine-tuning. */
  public boolean all() {
    return frozen[0].length == 0;
  }
}

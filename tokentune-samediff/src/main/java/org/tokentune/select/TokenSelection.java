package org.tokentune.select;

import java.util.BitSet;
import java.util.stream.IntStream;

/**
 * The split of a batch's positions into two streams. Rows are sorted.
 *
 * @param selected [batch, k] positions that carry gradient
 * @param frozen [batch, length - k] all others
 */
public record TokenSelection(int[][] selected, int[][] frozen) {

  /** Completes selected positions by the frozen ones of a batch padded to {@code length}. */
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

  /** Selected positions of a row. */
  public int k() {
    return selected[0].length;
  }

  /** Whether nothing is frozen: ordinary fine-tuning. */
  public boolean all() {
    return frozen[0].length == 0;
  }
}

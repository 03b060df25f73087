package org.tokentune.select;

/** Lengths to which batches are padded: only a few, as each needs its own plan. */
public final class PaddedLength {

  private PaddedLength() {}

  /** The next padded length, at most an eighth longer and no longer than {@code longest}. */
  public static int of(int length, int longest) {
    int step = Math.max(1, Integer.highestOneBit(length) / 8);
    return Math.min(longest, (length + step - 1) / step * step);
  }
}

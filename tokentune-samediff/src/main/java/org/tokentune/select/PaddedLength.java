package org.tokentune.select;

/** Lengths to which batches are padded: few, as each takes a plan of its own. */
public final class PaddedLength {

  private PaddedLength() {}

  /** The next of a few lengths, at most an eighth more, and no more than {@code longest}. */
  public static int of(int length, int longest) {
    int step = Math.max(1, Integer.highestOneBit(length) / 8);
    return Math.min(longest, (length + step - 1) / step * step);
  }
}

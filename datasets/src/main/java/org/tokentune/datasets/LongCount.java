package org.tokentune.datasets;

import java.util.Locale;
import org.tokentune.Warnings;

/** Counts texts that are longer than fits. */
final class LongCount {

  private final int most;
  private final OnLong onLong;
  private long texts;
  private long tooLong;
  private long windows;
  private int longest;

  /**
   * @param most tokens of a text
   */
  LongCount(int most, OnLong onLong) {
    this.most = most;
    this.onLong = onLong;
  }

  /**
   * Counts a text.
   *
   * @param tokens that it has
   * @param parts windows that it was split into
   */
  synchronized void add(int tokens, int parts) {
    texts++;
    if (tokens > most) {
      tooLong++;
      windows += parts;
      longest = Math.max(longest, tokens);
    }
  }

  /** Tokens of the longest text that does not fit; 0 if all fit. */
  synchronized int longest() {
    return longest;
  }

  /** Warns of long texts, if there are any. */
  synchronized void warn() {
    if (tooLong == 0) {
      return;
    }
    Warnings.warn(
        "%,d of %,d texts %s longer than %,d tokens, the longest %,d; %s.",
        tooLong,
        texts,
        tooLong == 1 ? "is" : "are",
        most,
        longest,
        onLong == OnLong.SPLIT
            ? String.format(Locale.ROOT, "split into %,d windows", windows)
            : tooLong == 1 ? "it is cut" : "they are cut");
  }
}

package org.tokentune.datasets;

/** What becomes of a text, or a pair, that has more tokens than fit. */
public enum OnLong {
  /** The rest is cut off, of a pair from the longer text first, as with {@code truncation=True}. */
  CUT,
  /** It is rejected. */
  REFUSE,
  /** It is read in windows, of which each overlaps the one before it by a quarter. */
  SPLIT
}

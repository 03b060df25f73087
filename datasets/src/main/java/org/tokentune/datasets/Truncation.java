package org.tokentune.datasets;

import java.util.stream.IntStream;

/**
 * Truncates texts that are too long, as Hugging Face's tokenizers do: of a pair, the longer one
 * first.
 */
final class Truncation {

  private Truncation() {}

  /**
   * The positions of the tokens that are kept.
   *
   * @param sequences for each token: 0 in the first text, 1 in the second, -1 for special tokens,
   *     which are all kept
   * @param longest the number of tokens to keep; there are more
   * @param left whether texts lose their beginning
   */
  static int[] kept(long[] sequences, int longest, boolean left) {
    int[] counts = new int[2];
    for (long sequence : sequences) {
      if (sequence >= 0) {
        counts[(int) sequence]++;
      }
    }
    int room = Math.max(0, longest - (sequences.length - counts[0] - counts[1]));
    int[] kept = lengths(counts[0], counts[1], room);
    int[] seen = new int[2];
    return IntStream.range(0, sequences.length)
        .filter(
            i -> {
              if (sequences[i] < 0) {
                return true;
              }
              int text = (int) sequences[i];
              int place = seen[text]++;
              return left ? place >= counts[text] - kept[text] : place < kept[text];
            })
        .toArray();
  }

  /** How many tokens of each text fit into {@code room}; the second text may be empty. */
  private static int[] lengths(int first, int second, int room) {
    if (second == 0) {
      return new int[] {room, 0};
    }
    int shorter = Math.min(first, second);
    int longer = shorter > room ? shorter : Math.max(shorter, room - shorter);
    if (shorter + longer > room) {
      shorter = room / 2;
      longer = shorter + room % 2;
    }
    return first > second ? new int[] {longer, shorter} : new int[] {shorter, longer};
  }
}

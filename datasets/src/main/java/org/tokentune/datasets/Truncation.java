package org.tokentune.datasets;

import java.util.stream.IntStream;

/**
 * Cuts texts that are too long, as Hugging Face's tokenizers do: of a pair the longer one first.
 */
final class Truncation {

  private Truncation() {}

  /**
   * Places of the tokens that stay.
   *
   * @param sequences of each token: 0 of the first text, 1 of the second, -1 of special tokens,
   *     which all stay
   * @param longest tokens that may stay; there are more
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

  /** How many tokens of two texts stay of more than {@code room}; the second may have none. */
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

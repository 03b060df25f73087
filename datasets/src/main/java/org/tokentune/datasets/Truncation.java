package org.tokentune.datasets;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Truncates texts that are too long, as Hugging Face's tokenizers do: of a pair, the longer one
 * first; or divides them into windows.
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

  /**
   * The positions of the tokens in each window over one of the texts; the other text and special
   * tokens are in all of them. Together they have all tokens.
   *
   * @param sequences as above
   * @param text that is divided: 0 or 1
   * @param prefix tokens at the beginning that are in all windows
   * @param longest tokens of a window
   * @param overlap tokens of the text that a window has in common with the one before it, of as
   *     many as there is room for; at most half of these
   * @return one window if everything fits; none if there is no room beside what is in all of them
   */
  static List<int[]> windows(
      long[] sequences, int text, int prefix, int longest, IntUnaryOperator overlap) {
    int[] moving =
        IntStream.range(prefix, sequences.length).filter(i -> sequences[i] == text).toArray();
    int room = longest - (sequences.length - moving.length);
    if (room < 1) {
      return List.of();
    }
    int step = room - Math.min(overlap.applyAsInt(room), room / 2);
    List<int[]> windows = new ArrayList<>();
    for (int begin = 0; begin == 0 || begin + room - step < moving.length; begin += step) {
      int from = begin;
      int[] place = {0};
      windows.add(
          IntStream.range(0, sequences.length)
              .filter(
                  i -> {
                    if (i < prefix || sequences[i] != text) {
                      return true;
                    }
                    int at = place[0]++;
                    return at >= from && at < from + room;
                  })
              .toArray());
    }
    return windows;
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

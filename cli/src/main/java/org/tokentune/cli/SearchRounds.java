package org.tokentune.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * The rounds of a search: one, or those of successive halving (Jamieson and Talwalkar, 2016), whose
 * trainings are {@value #FACTOR} times as long from one round to the next, and as many times fewer.
 *
 * @param counts trainings of each round
 * @param lengths epochs or steps of each round
 */
record SearchRounds(List<Integer> counts, List<Integer> lengths) {

  private static final int FACTOR = 3;

  static SearchRounds single(int trials, int length) {
    return new SearchRounds(List.of(trials), List.of(length));
  }

  /**
   * @param length of the last round
   */
  static SearchRounds halving(int trials, int length) {
    List<Integer> counts = new ArrayList<>();
    List<Integer> lengths = new ArrayList<>();
    int left = trials;
    int shorter = length;
    while (left >= FACTOR && shorter >= FACTOR) {
      left /= FACTOR;
      shorter /= FACTOR;
    }
    int divisor = 1;
    for (int count = trials; ; count /= FACTOR) {
      counts.add(count);
      lengths.add(0, Math.max(1, length / divisor));
      divisor *= FACTOR;
      if (count == left) {
        return new SearchRounds(counts, lengths);
      }
    }
  }
}

package org.tokentune.select;

import java.util.stream.IntStream;

/** Selects every position including padding: ordinary fine-tuning. */
public record AllTokens() implements TokenSelector {

  @Override
  public TokenSelection select(
      int[] lengths, int paddedLength, int[][] labels, long seed, int epoch, int batch) {
    TokenSelection.check(lengths, paddedLength);
    int[][] every = new int[lengths.length][];
    for (int row = 0; row < every.length; row++) {
      every[row] = IntStream.range(0, paddedLength).toArray();
    }
    return TokenSelection.of(every, paddedLength);
  }
}

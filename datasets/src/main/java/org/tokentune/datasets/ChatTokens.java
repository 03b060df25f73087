package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.tokentune.select.TokenSelector;

/**
 * A conversation in numbers.
 *
 * @param ids vocabulary numbers
 * @param learned for every token whether it is one that the model learns to write
 */
public record ChatTokens(int[] ids, boolean[] learned) {

  public ChatTokens {
    required(ids, "ids");
    required(learned, "learned");
  }

  /** How many tokens are learned. */
  int count() {
    return (int) IntStream.range(0, learned.length).filter(i -> learned[i]).count();
  }

  /** The first tokens. */
  ChatTokens cut(int length) {
    return ids.length <= length
        ? this
        : new ChatTokens(Arrays.copyOf(ids, length), Arrays.copyOf(learned, length));
  }

  /** A row in which the learned tokens are labels. */
  TokenBatches.Row row() {
    float[] labels = new float[ids.length]; // exact: no vocabulary has 2^24 tokens
    for (int i = 0; i < ids.length; i++) {
      labels[i] = learned[i] ? ids[i] : TokenSelector.NO_LABEL;
    }
    return new TokenBatches.Row(ids, new int[ids.length], labels);
  }
}

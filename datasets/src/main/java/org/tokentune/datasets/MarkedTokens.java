package org.tokentune.datasets;

import java.util.Arrays;
import java.util.Set;
import org.tokentune.select.TokenSelector;

/**
 * Tokens with the words that they belong to, one number each: four times the token, and 0 for a
 * special one, 1 for the first of a word, 2 for its others.
 */
record MarkedTokens(int[] marked) implements StreamedRow {

  private static final int BITS = 2;
  private static final int SPECIAL = 0;
  private static final int BEGINS = 1;
  private static final int CONTINUES = 2;

  /**
   * Marks the tokens of a text.
   *
   * @param special tokens that belong to no word, wherever they are
   */
  static MarkedTokens of(TextTokenizer.Tokens text, Set<Integer> special) {
    int[] ids = text.ids();
    int[] words = text.words();
    int[] marked = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      boolean first = i == 0 || words[i] != words[i - 1];
      int mark = words[i] < 0 || special.contains(ids[i]) ? SPECIAL : first ? BEGINS : CONTINUES;
      marked[i] = ids[i] << BITS | mark;
    }
    return new MarkedTokens(marked);
  }

  @Override
  public int[] ids() {
    return Arrays.stream(marked).map(token -> token >> BITS).toArray();
  }

  /** The row with {@link WordMasks}' marks as labels. */
  @Override
  public TokenBatches.Row row() {
    float[] labels = new float[marked.length];
    for (int i = 0; i < marked.length; i++) {
      labels[i] =
          switch (marked[i] & (1 << BITS) - 1) {
            case BEGINS -> WordMasks.BEGINS_WORD;
            case CONTINUES -> WordMasks.CONTINUES_WORD;
            default -> TokenSelector.NO_LABEL;
          };
    }
    return new TokenBatches.Row(ids(), new int[marked.length], labels);
  }
}

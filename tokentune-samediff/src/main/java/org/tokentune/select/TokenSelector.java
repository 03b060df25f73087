package org.tokentune.select;

/** Chooses the tokens of a batch that carry gradient. */
public interface TokenSelector {

  /**
   * Selects for one batch. The same arguments give the same selection, on any thread.
   *
   * @param lengths valid tokens of each row, 1 to {@code paddedLength}; they stand at positions 0
   *     to length-1
   * @param labels [batch][paddedLength] labels of tokens, {@value #NO_LABEL} for none, {@value
   *     #FORCED} for tokens that are selected whatever the amount; null where the task has none
   * @param seed of the whole run
   */
  TokenSelection select(
      int[] lengths, int paddedLength, int[][] labels, long seed, int epoch, int batch);

  /** The label of a token that has none. */
  int NO_LABEL = -100;

  /** Stands for the label of a token that has to be selected. */
  int FORCED = -1;
}

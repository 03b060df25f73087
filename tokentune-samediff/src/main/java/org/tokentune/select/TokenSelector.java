package org.tokentune.select;

/** Chooses the tokens of a batch that carry gradient. */
public interface TokenSelector {

  /**
   * Selects for one batch. The same arguments give the same selection, on any thread.
   *
   * @param lengths valid tokens of each row, 1 to {@code paddedLength}, at positions 0 to length-1
   * @param labels [batch][paddedLength] token labels, {@value #NO_LABEL} for none, {@value #FORCED}
   *     for forced positions; null if the task has no token labels
   * @param seed seed of the whole run
   */
  TokenSelection select(
      int[] lengths, int paddedLength, int[][] labels, long seed, int epoch, int batch);

  /** The label of an unlabelled token. */
  int NO_LABEL = -100;

  /** Marks a forced position in place of its label. */
  int FORCED = -1;
}

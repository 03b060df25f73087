package org.tokentune.datasets;

/**
 * A compact row for a causal language model, a third of the size of a {@link TokenBatches.Row}.
 *
 * @param prompt the number of tokens at the beginning that are not trained on
 */
record PromptedTokens(int[] ids, int prompt) implements StreamedRow {

  /** Marks a row without an answer, so that it can be counted. */
  static final PromptedTokens LEFT_OUT = new PromptedTokens(new int[0], 0);

  @Override
  public TokenBatches.Row row() {
    return TokenBatches.Row.ofText(ids, prompt);
  }
}

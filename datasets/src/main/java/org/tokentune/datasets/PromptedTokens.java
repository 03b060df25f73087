package org.tokentune.datasets;

/**
 * A row for a causal language model as it is held in numbers: a third of a {@link
 * TokenBatches.Row}.
 *
 * @param prompt how many of its first tokens are not learned
 */
record PromptedTokens(int[] ids, int prompt) {

  /** In place of a row with nothing to learn, to be counted. */
  static final PromptedTokens LEFT_OUT = new PromptedTokens(new int[0], 0);

  TokenBatches.Row row() {
    return TokenBatches.Row.ofText(ids, prompt);
  }
}

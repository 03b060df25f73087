package org.tokentune.datasets;

/**
 * A row for a causal language model as it is held in numbers: a third of a {@link
 * TokenBatches.Row}.
 *
 * @param prompt how many of its first tokens are not learned
 */
record PromptedTokens(int[] ids, int prompt) {

  TokenBatches.Row row() {
    return TokenBatches.Row.ofText(ids, prompt);
  }
}

package org.tokentune.generate;

/** Decides from a text's tokens whether it is complete, as a text that ends it does. */
@FunctionalInterface
public interface StopCondition {

  /** No text is complete. */
  StopCondition NONE = (prompt, ids) -> false;

  /**
   * Asked after every new token that is not an end token.
   *
   * @param prompt tokens before the text
   * @param ids the new tokens
   */
  boolean isComplete(int[] prompt, int[] ids);
}

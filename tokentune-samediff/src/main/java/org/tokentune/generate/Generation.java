package org.tokentune.generate;

/**
 * A generated text.
 *
 * @param ids the new tokens, without the one that ended it
 */
public record Generation(int[] ids, End end) {

  /** Why it ended. */
  public enum End {
    /** A token that ends texts was drawn. */
    END_TOKEN,
    /** There are as many new tokens as wanted. */
    MAX_TOKENS,
    /** The text is as long as the model's positions. */
    CONTEXT
  }
}

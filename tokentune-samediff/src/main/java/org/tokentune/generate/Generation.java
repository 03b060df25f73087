package org.tokentune.generate;

/**
 * A generated text.
 *
 * @param ids the new tokens, without the end token
 */
public record Generation(int[] ids, End end) {

  /** Why generation stopped. */
  public enum End {
    /** An end token was sampled. */
    END_TOKEN,
    /** The requested number of new tokens was reached. */
    MAX_TOKENS,
    /** The model's positions are used up. */
    CONTEXT
  }
}

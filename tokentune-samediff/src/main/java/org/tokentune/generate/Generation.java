package org.tokentune.generate;

import java.util.Arrays;

/**
 * A generated text.
 *
 * @param ids the new tokens, without the end token; if a text ended it, up to the token that
 *     completed that text
 */
public record Generation(int[] ids, End end) {

  /** Why generation stopped. */
  public enum End {
    /** An end token was sampled. */
    END_TOKEN,
    /** One of the texts that end it came. */
    STOP,
    /** The requested number of new tokens was reached. */
    MAX_TOKENS,
    /** The model's positions are used up. */
    CONTEXT
  }

  /** Whether the tokens and the end are the same. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Generation that && end == that.end && Arrays.equals(ids, that.ids);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(ids) + end.hashCode();
  }

  @Override
  public String toString() {
    return "Generation[ids=" + Arrays.toString(ids) + ", end=" + end + "]";
  }
}

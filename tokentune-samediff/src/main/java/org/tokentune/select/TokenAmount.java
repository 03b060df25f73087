package org.tokentune.select;

import org.tokentune.BadSettingsException;

/**
 * How many tokens of a row are selected: a count, or a share of the row's own length with a floor.
 *
 * <p>A row of n+1 tokens selects as many tokens as a row of n, or one more. So a row that is d
 * tokens shorter than the longest in its batch selects at most d fewer, and its padding always
 * suffices to fill the gap.
 *
 * @param count tokens per row, or 0 to use the share
 * @param share above 0 to 1, rounded to the nearest number of tokens
 * @param floor fewest tokens with a share: short texts lose accuracy first and cost little
 */
public record TokenAmount(int count, double share, int floor) {

  /** The default floor. */
  public static final int DEFAULT_FLOOR = 16;

  public TokenAmount {
    if (count < 0 || floor < 1 || (count == 0 && !(share > 0 && share <= 1))) {
      throw new BadSettingsException(
          "Tokens must be a count of at least 1 or a share above 0%% to 100%%, with at least 1"
              + " token per text.");
    }
  }

  /** A fixed number of tokens, capped at the row's length. */
  public static TokenAmount count(int count) {
    return new TokenAmount(count, 0, 1);
  }

  /** A share of the row's length, 0.25 for a quarter. */
  public static TokenAmount share(double share, int floor) {
    return new TokenAmount(0, share, floor);
  }

  /** Number of tokens to select in a row of {@code length} valid tokens. */
  public int of(int length) {
    int wanted = count > 0 ? count : Math.max(floor, (int) Math.round(share * length));
    return Math.min(length, wanted);
  }
}

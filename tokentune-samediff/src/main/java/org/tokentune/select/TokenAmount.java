package org.tokentune.select;

import org.tokentune.BadInputException;

/**
 * How many tokens of a row are selected: a count, or a share of the row's own length with a floor.
 *
 * <p>The number for a row of n+1 tokens is that for n tokens or one more. So a row that is shorter
 * than the batch's longest by d selects at most d fewer: its padding always suffices to fill it up.
 *
 * @param count tokens of every row, or 0 to go by the share
 * @param share above 0 to 1, rounded to the nearest number of tokens
 * @param floor least tokens by share: short texts lose accuracy first and cost little
 */
public record TokenAmount(int count, double share, int floor) {

  /** The floor where none is given. */
  public static final int DEFAULT_FLOOR = 8;

  public TokenAmount {
    if (count < 0 || floor < 1 || (count == 0 && !(share > 0 && share <= 1))) {
      throw new BadInputException(
          "Tokens must be a count from 1 or a share above 0%% to 100%%, with at least 1 token a text.");
    }
  }

  /** A number of tokens, at most the row's length. */
  public static TokenAmount count(int count) {
    return new TokenAmount(count, 0, 1);
  }

  /** A share, 0.25 for a quarter. */
  public static TokenAmount share(double share, int floor) {
    return new TokenAmount(0, share, floor);
  }

  /** Tokens to select of a row of {@code length} valid tokens. */
  public int of(int length) {
    int wanted = count > 0 ? count : Math.max(floor, (int) Math.round(share * length));
    return Math.min(length, wanted);
  }
}

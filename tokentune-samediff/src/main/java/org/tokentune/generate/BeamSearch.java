package org.tokentune.generate;

import java.util.Locale;
import org.tokentune.BadSettingsException;

/**
 * How beam search looks for a probable text, as in transformers.
 *
 * @param beams texts that go on side by side; 1: no beam search
 * @param lengthPenalty texts are compared by the sum of their tokens' log-probabilities over their
 *     length to this power: above 0 favours long ones, below 0 short ones
 * @param earlyStopping when a search ends that has found as many complete texts as beams
 */
public record BeamSearch(int beams, double lengthPenalty, EarlyStopping earlyStopping) {

  /** When to end a search that has found as many complete texts as beams. */
  public enum EarlyStopping {
    /** Once the best text that goes on would not be better at its present length. */
    FALSE,
    /** At once. */
    TRUE,
    /** Once no text that goes on could become better at any length. */
    NEVER;

    /** The name in lower case, as in transformers. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** No beam search. */
  public static final BeamSearch NONE = new BeamSearch(1, 1, EarlyStopping.FALSE);

  public BeamSearch {
    if (beams < 1) {
      throw BadSettingsException.of("beams", "must be at least 1, got %d.", beams);
    }
    if (!Double.isFinite(lengthPenalty)) {
      throw BadSettingsException.of("lengthPenalty", "must be a number, got %s.", lengthPenalty);
    }
  }

  /** With a length penalty of 1. */
  public static BeamSearch of(int beams) {
    return new BeamSearch(beams, 1, EarlyStopping.FALSE);
  }

  /** The same with another length penalty. */
  public BeamSearch withLengthPenalty(double power) {
    return new BeamSearch(beams, power, earlyStopping);
  }

  /** The same, ending at another time. */
  public BeamSearch withEarlyStopping(EarlyStopping when) {
    return new BeamSearch(beams, lengthPenalty, when);
  }
}

package org.tokentune.text;

import static org.tokentune.Arguments.required;

import java.util.Locale;
import org.tokentune.datasets.OnLong;

/**
 * How a model of text treats texts that have more tokens than fit.
 *
 * @param maxLength tokens of a text or a pair, special tokens included; null: as many as the model
 *     takes
 * @param onLong whether longer texts are cut, refused, or read in windows
 * @param windowScores how the scores of a text's windows become those of the text
 */
public record LongTexts(Integer maxLength, OnLong onLong, WindowScores windowScores) {

  public LongTexts {
    required(onLong, "onLong");
    required(windowScores, "windowScores");
  }

  /**
   * How scores (probabilities, or numbers) of several windows are joined, each output on its own.
   */
  public enum WindowScores {
    /** Their mean. */
    MEAN,
    /** The largest; those of classes are then divided by their sum. */
    MAX;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Cuts texts.
   *
   * @param maxLength tokens; null: as many as the model takes
   */
  public static LongTexts cut(Integer maxLength) {
    return new LongTexts(maxLength, OnLong.CUT, WindowScores.MEAN);
  }

  /** The same for texts of more or fewer tokens; null: as many as the model takes. */
  public LongTexts withMaxLength(Integer tokens) {
    return new LongTexts(tokens, onLong, windowScores);
  }

  /** The same, but longer texts are treated in another way. */
  public LongTexts withOnLong(OnLong treatment) {
    return new LongTexts(maxLength, treatment, windowScores);
  }

  /** The same, but scores of windows are joined in another way. */
  public LongTexts withWindowScores(WindowScores join) {
    return new LongTexts(maxLength, onLong, join);
  }
}

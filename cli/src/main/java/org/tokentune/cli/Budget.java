package org.tokentune.cli;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import org.tokentune.BadSettingsException;

/**
 * The time that many trainings may take together.
 *
 * @param limit null: no limit
 */
record Budget(Duration limit) {

  /**
   * Parses the value of {@code --budget}.
   *
   * @param text such as {@code 1h30m}; null: no limit
   */
  static Budget of(String text) {
    try {
      return new Budget(text == null ? null : Duration.parse("PT" + text.toUpperCase(Locale.ROOT)));
    } catch (DateTimeParseException e) {
      throw new BadSettingsException(
          e, "--budget must be a time such as 1h30m or 90s, got %s.", text);
    }
  }

  /**
   * Whether a training would end in time.
   *
   * @param used seconds up to now
   * @param next seconds that it takes
   */
  boolean fits(double used, double next) {
    return limit == null || used + next < limit.toMillis() / 1e3;
  }
}

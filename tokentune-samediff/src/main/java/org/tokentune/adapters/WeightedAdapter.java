package org.tokentune.adapters;

import static org.tokentune.Arguments.required;

import java.nio.file.Files;
import java.nio.file.Path;
import org.tokentune.BadSettingsException;

/**
 * A folder of adapters and the weight of its update among those of other adapters.
 *
 * @param weight any number
 */
public record WeightedAdapter(Path folder, double weight) {

  public WeightedAdapter {
    if (!Double.isFinite(weight)) {
      throw BadSettingsException.of("weight", "must be a number, got %s.", weight);
    }
  }

  /** A folder with weight 1. */
  public static WeightedAdapter of(Path folder) {
    return new WeightedAdapter(folder, 1);
  }

  /**
   * Parses {@code folder} or {@code folder:0.5}; a folder that exists under the whole name is one.
   */
  public static WeightedAdapter parse(String text) {
    required(text, "text");
    int colon = text.lastIndexOf(':');
    if (colon > 0 && !Files.exists(Path.of(text))) {
      try {
        return new WeightedAdapter(
            Path.of(text.substring(0, colon)), Double.parseDouble(text.substring(colon + 1)));
      } catch (NumberFormatException e) {
        return of(Path.of(text)); // whose absence is reported where it is opened
      }
    }
    return of(Path.of(text));
  }
}

package org.tokentune.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Data with a weight, as {@code rows.csv:2}.
 *
 * @param name of a data set or a file
 * @param weight null: none is given
 */
record WeightedData(String name, Double weight) {

  private static final Pattern WEIGHTED = Pattern.compile("(.+):([0-9]+(?:[.][0-9]+)?)");

  /** Reads a name with or without a weight; a file that has a colon in its name goes first. */
  static WeightedData parse(String text) {
    Matcher weighted = WEIGHTED.matcher(text);
    return weighted.matches() && !exists(text)
        ? new WeightedData(weighted.group(1), Double.valueOf(weighted.group(2)))
        : new WeightedData(text, null);
  }

  private static boolean exists(String text) {
    try {
      return Files.exists(Path.of(text));
    } catch (InvalidPathException e) {
      return false;
    }
  }
}

package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.List;

/**
 * One row of a text data set.
 *
 * @param pair a second text, for tasks on pairs; otherwise null
 * @param label as in the data set: a class, labels separated by commas, a number, or a tag for
 *     every word of the text, separated by spaces; null if there is no label
 * @param words of the text, if the data set has a list of them; if null, the text is split at white
 *     space for tagging
 * @param labels or tags, if the data set has a list of them; if null, {@code label} is split
 */
public record Example(
    String text, String pair, String label, List<String> words, List<String> labels) {

  public Example {
    required(text, "text");

    words = words == null ? null : List.copyOf(words);
    labels = labels == null ? null : List.copyOf(labels);
  }

  /** An example without lists. */
  public Example(String text, String pair, String label) {
    this(text, pair, label, null, null);
  }

  /** An example with a single text. */
  public Example(String text, String label) {
    this(text, null, label);
  }
}

package org.tokentune.datasets;

import java.util.List;

/**
 * One row of a text data set.
 *
 * @param pair a second text, for tasks over two; null where there is one
 * @param label as the data set has it: a class, labels separated by commas, a number, or a tag for
 *     every word of the text, separated by spaces; null where there is none
 * @param words of the text, where the data set has them as a list; null: it is split at white space
 *     where words have tags
 * @param labels or tags, where the data set has them as a list; null: {@code label} is split
 */
public record Example(
    String text, String pair, String label, List<String> words, List<String> labels) {

  public Example {
    words = words == null ? null : List.copyOf(words);
    labels = labels == null ? null : List.copyOf(labels);
  }

  /** Plain strings. */
  public Example(String text, String pair, String label) {
    this(text, pair, label, null, null);
  }

  /** A single text. */
  public Example(String text, String label) {
    this(text, null, label);
  }
}

package org.tokentune.datasets;

/**
 * One row of a text data set.
 *
 * @param pair a second text, for tasks over two; null where there is one
 * @param label as the data set has it: a class, labels separated by commas, a number, or a tag for
 *     every word of the text, separated by spaces; null where there is none
 */
public record Example(String text, String pair, String label) {

  /** A single text. */
  public Example(String text, String label) {
    this(text, null, label);
  }
}

package org.tokentune.models;

/** How a text's tokens become one row. */
public enum Pooling {
  /** The token at position 0. */
  FIRST,
  /**
   * The mean of the selected tokens that are not padding; without selection that is all of them.
   */
  MEAN
}

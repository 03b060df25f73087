package org.tokentune.models;

import java.util.Locale;

/** How a text's tokens become one row. */
public enum Pooling {
  /** The token at position 0. */
  FIRST,
  /**
   * The mean of the selected tokens that are not padding; without selection that is all of them.
   */
  MEAN;

  /** The name in lower case, as on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}

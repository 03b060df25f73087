package org.tokentune.models;

import java.util.Locale;

/** How the tokens of a text become one row. */
public enum Pooling {
  /** The token at position 0. */
  FIRST,
  /** The mean of the selected tokens without padding; without selection, of all tokens. */
  MEAN,
  /** The last token without padding, which alone has seen the whole text; of decoders only. */
  LAST;

  /** The name in lower case, as on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}

package org.tokentune.models;

/** How the tokens of a text become one row. */
public enum Pooling {
  /** The token at position 0. */
  FIRST,
  /** The mean of the selected tokens without padding; without selection, of all tokens. */
  MEAN
}

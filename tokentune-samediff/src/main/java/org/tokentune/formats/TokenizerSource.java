package org.tokentune.formats;

/** The data a tokenizer is built from. */
public sealed interface TokenizerSource permits TokenizerSource.Json, Vocabulary {

  /**
   * A Hugging Face fast tokenizer.
   *
   * @param bytes content of a {@code tokenizer.json}
   */
  record Json(byte[] bytes) implements TokenizerSource {}
}

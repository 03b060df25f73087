package org.tokentune.checkpoint;

/** What a tokenizer is made of. */
public sealed interface TokenizerSource permits TokenizerSource.Json, Vocabulary {

  /**
   * A Hugging Face fast tokenizer.
   *
   * @param bytes of a {@code tokenizer.json}
   */
  record Json(byte[] bytes) implements TokenizerSource {}
}

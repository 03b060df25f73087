package org.tokentune.datasets;

import java.util.Iterator;

/** How chunks of a file become rows for a causal language model. */
interface ChunkRows {

  /** Most tokens of a row. */
  int length();

  /** Tells its rows from others of the same text, tokenizer and length. */
  String name();

  /** A chunk as one array, which can be cached; on another thread. */
  int[] tokens(TextChunks.Chunk chunk);

  /** Rows of such arrays, one after the other. */
  Iterator<PromptedTokens> rows(Iterator<int[]> chunks);
}

package org.tokentune.datasets;

import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;

/**
 * Plain text: tokens of all chunks, joined and cut into blocks of {@code length}; the last may be
 * shorter.
 *
 * @param row makes a row of a block
 */
record JoinedBlocks(
    String name,
    Function<TextChunks.Chunk, int[]> tokenise,
    int length,
    Function<int[], StreamedRow> row)
    implements ChunkRows {

  /** Blocks for a causal language model. */
  JoinedBlocks(String name, Function<TextChunks.Chunk, int[]> tokenise, int length) {
    this(name, tokenise, length, block -> new PromptedTokens(block, 0));
  }

  JoinedBlocks {
    TextBlocks.check(length);
  }

  @Override
  public int[] tokens(TextChunks.Chunk chunk) {
    return tokenise.apply(chunk);
  }

  @Override
  public Iterator<StreamedRow> rows(Iterator<int[]> chunks) {
    return new Blocks(chunks, length, row);
  }

  private static final class Blocks implements Iterator<StreamedRow> {

    private final Iterator<int[]> chunks;
    private final int length;
    private final Function<int[], StreamedRow> row;
    private int[] tokens = {};
    private int from;

    Blocks(Iterator<int[]> chunks, int length, Function<int[], StreamedRow> row) {
      this.chunks = chunks;
      this.length = length;
      this.row = row;
    }

    @Override
    public boolean hasNext() {
      while (tokens.length - from < length && chunks.hasNext()) {
        int[] added = chunks.next();
        int[] rest = Arrays.copyOfRange(tokens, from, tokens.length + added.length);
        System.arraycopy(added, 0, rest, tokens.length - from, added.length);
        tokens = rest;
        from = 0;
      }
      return tokens.length - from >= TextBlocks.LEAST;
    }

    @Override
    public StreamedRow next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      int[] block = Arrays.copyOfRange(tokens, from, Math.min(tokens.length, from + length));
      from += block.length;
      return row.apply(block);
    }
  }
}

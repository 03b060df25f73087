package org.tokentune.datasets;

import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/**
 * Instructions. The rows of a chunk are packed into one array: for each row the number of tokens in
 * the prompt, the number of all tokens, and the tokens. A row that is left out has no tokens.
 */
record PackedInstructions(
    RowChunks chunks,
    PromptTemplate template,
    TextTokenizer tokenizer,
    TokenCache cache,
    int length)
    implements ChunkRows {

  @Override
  public String name() {
    // The tokenizer's file does not say which tokens end a text.
    return template + ", " + tokenizer.beginning() + ", " + tokenizer.ends() + chunks.name();
  }

  @Override
  public int[] tokens(TextChunks.Chunk chunk) {
    return cache.get(
        "with those left out, " + length + ", " + name(), chunk.text(), text -> pack(chunk));
  }

  @Override
  public Iterator<StreamedRow> rows(Iterator<int[]> chunks) {
    return ChunkRows.unpacked(chunks, PackedInstructions::unpack);
  }

  private int[] pack(TextChunks.Chunk chunk) {
    List<Instructions.Instruction> read = chunks.read(chunk, new Instructions.Reader());
    List<PromptedTokens> rows =
        new ArrayList<>(Instructions.tokens(read, template, tokenizer, length));
    rows.addAll(Collections.nCopies(read.size() - rows.size(), PromptedTokens.LEFT_OUT));
    IntBuffer packed =
        IntBuffer.allocate(rows.stream().mapToInt(row -> row.ids().length + 2).sum());
    rows.forEach(row -> packed.put(row.prompt()).put(row.ids().length).put(row.ids()));
    return packed.array();
  }

  private static List<StreamedRow> unpack(int[] packed) {
    List<StreamedRow> rows = new ArrayList<>();
    IntBuffer left = IntBuffer.wrap(packed);
    while (left.hasRemaining()) {
      int prompt = left.get();
      int[] ids = new int[left.get()];
      left.get(ids);
      rows.add(new PromptedTokens(ids, prompt));
    }
    return rows;
  }
}

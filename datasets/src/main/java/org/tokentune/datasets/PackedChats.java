package org.tokentune.datasets;

import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;

/**
 * Conversations. The rows of a chunk are packed into one array: for each row the number of tokens,
 * then twice the number of each token, and one more where it is learned. A row that is left out has
 * no tokens.
 */
record PackedChats(
    RowChunks chunks, ChatFormat format, ChatFormat.Learned learned, TokenCache cache, int length)
    implements ChunkRows {

  @Override
  public String name() {
    return "conversations, " + learned + ", " + format.identity() + chunks.name();
  }

  @Override
  public int[] tokens(TextChunks.Chunk chunk) {
    return format.readsClock()
        ? pack(chunk)
        : cache.get(length + " tokens, " + name(), chunk.text(), text -> pack(chunk));
  }

  private int[] pack(TextChunks.Chunk chunk) {
    List<int[]> rows = new ArrayList<>();
    for (Conversation conversation : chunks.read(chunk, new Conversations.Reader())) {
      ChatTokens tokens = format.tokens(conversation, learned).cut(length);
      int count = tokens.count() > 0 ? tokens.ids().length : 0;
      int[] row = new int[1 + count];
      row[0] = count;
      for (int i = 0; i < count; i++) {
        row[1 + i] = 2 * tokens.ids()[i] + (tokens.learned()[i] ? 1 : 0);
      }
      rows.add(row);
    }
    return TextBlocks.join(rows);
  }

  @Override
  public Iterator<StreamedRow> rows(Iterator<int[]> chunks) {
    return ChunkRows.unpacked(chunks, PackedChats::unpack);
  }

  private static List<StreamedRow> unpack(int[] packed) {
    List<StreamedRow> rows = new ArrayList<>();
    IntBuffer left = IntBuffer.wrap(packed);
    while (left.hasRemaining()) {
      int[] ids = new int[left.get()];
      boolean[] learned = new boolean[ids.length];
      for (int i = 0; i < ids.length; i++) {
        int both = left.get();
        ids[i] = both / 2;
        learned[i] = both % 2 == 1;
      }
      rows.add(new StreamedChat(new ChatTokens(ids, learned)));
    }
    return rows;
  }

  @Override
  public String leftOut(long some, long all) {
    return leftOut(some, all, length);
  }

  /** What is said of conversations that are left out. */
  static String leftOut(long some, long all, int longest) {
    return String.format(
        Locale.ROOT,
        "%,d of %,d conversations are left out: nothing that is learned of them fits into %,d tokens",
        some,
        all,
        longest);
  }

  private record StreamedChat(ChatTokens tokens) implements StreamedRow {

    @Override
    public int[] ids() {
      return tokens.ids();
    }

    @Override
    public TokenBatches.Row row() {
      return tokens.row();
    }
  }
}

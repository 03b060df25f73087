package org.tokentune.datasets;

import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * Labelled texts. The rows of a chunk are packed into one array: for each row, or window of one,
 * the number of windows of its text (0 after the first), the number of tokens of the whole text,
 * and {@link LabelledTokens}.
 *
 * @param counted counts texts that are longer than fits, as their rows are read
 */
record PackedTexts(
    RowChunks chunks,
    Columns columns,
    Labels labels,
    TextTokenizer tokenizer,
    OnLong onLong,
    TokenCache cache,
    LongCount counted)
    implements ChunkRows {

  private static final int HEADER = 2;

  @Override
  public int length() {
    return tokenizer.longest();
  }

  @Override
  public String name() {
    return "labelled texts of " + columns + ", " + labels + ", " + onLong + chunks.name();
  }

  @Override
  public int[] tokens(TextChunks.Chunk chunk) {
    return cache.get(length() + " tokens, " + name(), chunk.text(), text -> pack(chunk));
  }

  private int[] pack(TextChunks.Chunk chunk) {
    List<int[]> rows = new ArrayList<>();
    for (Example example : chunks.read(chunk, new TextFiles.Examples(columns, true))) {
      LongCount one = new LongCount(length(), onLong);
      List<TextTokenizer.Tokens> windows = tokenizer.encode(example, labels.task(), onLong, one);
      for (int i = 0; i < windows.size(); i++) {
        TextTokenizer.Tokens window = windows.get(i);
        TokenBatches.Row row =
            new TokenBatches.Row(window.ids(), window.typeIds(), labels.encode(example, window));
        IntBuffer packed = IntBuffer.allocate(HEADER + LabelledTokens.packedSize(row));
        packed.put(i == 0 ? windows.size() : 0).put(Math.max(row.ids().length, one.longest()));
        LabelledTokens.pack(row, packed);
        rows.add(packed.array());
      }
    }
    return TextBlocks.join(rows);
  }

  @Override
  public Iterator<StreamedRow> rows(Iterator<int[]> chunks) {
    return ChunkRows.unpacked(chunks, this::unpack);
  }

  private List<StreamedRow> unpack(int[] packed) {
    List<StreamedRow> rows = new ArrayList<>();
    IntBuffer left = IntBuffer.wrap(packed);
    while (left.hasRemaining()) {
      int windows = left.get();
      int whole = left.get();
      if (windows > 0) {
        counted.add(whole, windows);
      }
      rows.add(LabelledTokens.unpack(left));
    }
    return rows;
  }
}

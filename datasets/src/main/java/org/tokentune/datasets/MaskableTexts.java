package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.nio.IntBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;

/**
 * Texts whose words {@link WordMasks} hides: lines of plain text, or a column of a file of rows.
 * Each has its special tokens; blank ones are skipped. As in transformers' {@code run_mlm} they are
 * joined and cut into blocks of equal length, of which the last may be shorter, or each is a row of
 * its own, cut to that length.
 *
 * @param length tokens of a block, or to which a text is cut
 * @param joined whether texts are joined
 */
public record MaskableTexts(TextTokenizer tokenizer, Columns columns, int length, boolean joined) {

  public MaskableTexts {
    required(tokenizer, "tokenizer");
    required(columns, "columns");

    TextBlocks.check(length);
  }

  /**
   * Reads a whole file. The labels of the rows mark the tokens that begin words.
   *
   * @throws BadInputException if the file is missing, malformed, without text, or past 1 GiB
   */
  public List<TokenBatches.Row> rows(Path file) {
    required(file, "file");

    LongCount counted = counted();
    List<int[]> texts =
        RowFormat.isNamed(file)
            ? RowSource.read(file, "rows", new Reader(counted))
            : texts(TextBlocks.plain(file), counted);
    List<TokenBatches.Row> rows =
        joined
            ? blocks(TextBlocks.join(texts))
            : texts.stream()
                .filter(text -> text.length > 0)
                .map(text -> new MarkedTokens(text).row())
                .toList();
    if (rows.isEmpty()) {
      throw new BadDataException("%s has hardly any text; give a file with more.", file);
    }
    counted.warn();
    return rows;
  }

  /** Counts texts that are cut: none if they are joined. */
  private LongCount counted() {
    return new LongCount(joined ? Integer.MAX_VALUE : length, OnLong.CUT);
  }

  private List<TokenBatches.Row> blocks(int[] tokens) {
    List<TokenBatches.Row> rows = new ArrayList<>();
    for (int from = 0; from + TextBlocks.LEAST <= tokens.length; from += length) {
      int end = Math.min(tokens.length, from + length);
      rows.add(new MarkedTokens(Arrays.copyOfRange(tokens, from, end)).row());
    }
    return rows;
  }

  /**
   * Opens a file to stream it, and caches its tokens.
   *
   * @param files of the model, by which its cached tokens are identified
   * @throws BadInputException if the file is missing, or too small for streaming
   */
  public StreamedRows stream(Path file, ModelFiles files) {
    required(file, "file");
    required(files, "files");

    LongCount counted = counted();
    TokenCache cache = TokenCache.of(files);
    Set<Integer> special = tokenizer.special();
    if (!RowFormat.isNamed(file)) {
      String name = "maskable lines, " + special + (joined ? "" : ", each cut to " + length);
      return StreamedRows.ofMaskable(
          TextChunks.ofText(file),
          rows(name, chunk -> cache.get(name, chunk.text(), text -> pack(texts(text, counted)))));
    }
    RowChunks chunks = RowChunks.open(file, new Reader(counted), TextChunks.CHUNK);
    String name =
        "maskable texts of "
            + columns
            + chunks.name()
            + ", "
            + special
            + (joined ? "" : ", each cut to " + length);
    return StreamedRows.ofMaskable(
        chunks.chunks(),
        rows(
            name,
            chunk ->
                cache.get(
                    name, chunk.text(), text -> pack(chunks.read(chunk, new Reader(counted))))));
  }

  private ChunkRows rows(String name, Function<TextChunks.Chunk, int[]> read) {
    return joined
        ? new JoinedBlocks(name, read, length, MarkedTokens::new)
        : new Lines(name, read, length);
  }

  /** Texts as one array; if they are not joined, each after the number of its tokens. */
  private int[] pack(List<int[]> texts) {
    if (joined) {
      return TextBlocks.join(texts);
    }
    List<int[]> some = texts.stream().filter(text -> text.length > 0).toList();
    IntBuffer packed = IntBuffer.allocate(some.stream().mapToInt(text -> text.length + 1).sum());
    some.forEach(text -> packed.put(text.length).put(text));
    return packed.array();
  }

  /** Rows of one text each. */
  private record Lines(String name, Function<TextChunks.Chunk, int[]> read, int length)
      implements ChunkRows {

    @Override
    public int[] tokens(TextChunks.Chunk chunk) {
      return read.apply(chunk);
    }

    @Override
    public Iterator<StreamedRow> rows(Iterator<int[]> chunks) {
      Iterable<int[]> all = () -> chunks;
      return StreamSupport.stream(all.spliterator(), false).flatMap(Lines::unpack).iterator();
    }

    private static Stream<StreamedRow> unpack(int[] packed) {
      List<StreamedRow> rows = new ArrayList<>();
      IntBuffer left = IntBuffer.wrap(packed);
      while (left.hasRemaining()) {
        int[] text = new int[left.get()];
        left.get(text);
        rows.add(new MarkedTokens(text));
      }
      return rows.stream();
    }
  }

  private List<int[]> texts(String text, LongCount counted) {
    return text.lines().map(line -> tokens(line, counted)).toList();
  }

  /** The marked tokens of a text; none of a blank one. */
  private int[] tokens(String text, LongCount counted) {
    if (text.isBlank()) {
      return new int[0];
    }
    TextTokenizer.Tokens tokens =
        tokenizer.encodeCut(text, joined ? Integer.MAX_VALUE : length, counted);
    return MarkedTokens.of(tokens, tokenizer.special()).marked();
  }

  private final class Reader implements RowReader<int[]> {

    private final TextFiles.Examples examples = new TextFiles.Examples(columns, false);
    private final LongCount counted;

    Reader(LongCount counted) {
      this.counted = counted;
    }

    @Override
    public void header(List<String> header, String file) {
      examples.header(header, file);
    }

    @Override
    public void row(Row row, List<int[]> texts) {
      texts.add(tokens(TextBlocks.single(examples, row), counted));
    }
  }
}

package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.nio.IntBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.formats.ModelFiles;
import org.tokentune.objectives.EmbeddingLabel;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.Objectives;

/**
 * Tokenises texts that belong together, for a loss. Texts that are too long are cut.
 *
 * @param queryPrompt put before every anchor
 * @param documentPrompt put before all other texts
 */
public record RelatedTokenizer(
    TextTokenizer tokenizer, EmbeddingLoss loss, String queryPrompt, String documentPrompt) {

  public RelatedTokenizer {
    required(tokenizer, "tokenizer");
    required(loss, "loss");
    required(queryPrompt, "queryPrompt");
    required(documentPrompt, "documentPrompt");
  }

  /**
   * Tokenises rows.
   *
   * @return for every row its texts, whose labels are {@link EmbeddingLabel}s
   * @throws BadInputException if a row has not as many texts as the loss is of, or no score
   */
  public List<List<TokenBatches.Row>> rows(List<RelatedTexts> all) {
    required(all, "all");

    LongCount counted = counted();
    List<List<TokenBatches.Row>> rows = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      int number = i + 1;
      check(all.get(i), () -> String.format(Locale.ROOT, "Row %,d", number));
      TokenBatches.Row joined = joined(all.get(i));
      JoinedTexts.count(joined, counted);
      rows.add(JoinedTexts.split(joined));
    }
    counted.warn();
    warnOfScores(all);
    return rows;
  }

  /**
   * Streams the rows of a file, and caches their tokens.
   *
   * @param files of the model, by which its cached tokens are identified
   * @throws BadInputException if the file is missing, or too small for streaming
   */
  public StreamedRows stream(Path file, RelatedTexts.TextColumns columns, ModelFiles files) {
    required(file, "file");
    required(columns, "columns");
    required(files, "files");

    RelatedTexts.TextColumns named = columns.of(file);
    RowChunks chunks = RowChunks.open(file, new RelatedTexts.Reader(named), TextChunks.CHUNK);
    LongCount counted = counted();
    return StreamedRows.ofRelated(
        chunks.chunks(), new Packed(chunks, named, TokenCache.of(files), counted), loss, counted);
  }

  private LongCount counted() {
    return new LongCount(tokenizer.longest(), OnLong.CUT);
  }

  /**
   * @param where names the row; called only if it is wrong, as finding a row's line takes long
   */
  private void check(RelatedTexts row, Supplier<String> where) {
    if (row.texts().size() != loss.columns()) {
      throw new BadDataException(
          "%s has %d texts, but the loss %s is of %d; give each row as many: \"%.60s\"",
          where.get(), row.texts().size(), loss.kind(), loss.columns(), row.texts().get(0));
    }
    if (loss.kind().scored() && row.score() == null) {
      throw new BadDataException(
          "%s has no score, which the loss %s needs; give it one, or use ranking: \"%.60s\"",
          where.get(), loss.kind(), row.texts().get(0));
    }
  }

  /** Cosines are compared with scores of 0 to 1. */
  private void warnOfScores(List<RelatedTexts> all) {
    if (loss.kind() != EmbeddingLoss.Kind.COSINE) {
      return;
    }
    long beyond = all.stream().filter(row -> row.score() < 0 || row.score() > 1).count();
    if (beyond > 0) {
      Warnings.warn(
          "%,d of %,d scores are not between 0 and 1, but the loss cosine compares them with cosines;"
              + " scale them, or use cosent, for which only their order counts.",
          beyond, all.size());
    }
  }

  /** A row's texts, joined. */
  private TokenBatches.Row joined(RelatedTexts row) {
    List<TokenBatches.Row> texts = new ArrayList<>();
    List<Integer> whole = new ArrayList<>();
    for (int column = 0; column < row.texts().size(); column++) {
      LongCount one = counted();
      String prompt = column == 0 ? queryPrompt : documentPrompt;
      Example example = new Example(prompt + row.texts().get(column), null);
      TextTokenizer.Tokens text =
          tokenizer.encode(example, Objectives.CLASSIFY, OnLong.CUT, one).get(0);
      long key = EmbeddingLabel.keyOf(row.texts().get(column));
      float score = row.score() == null ? 0 : row.score();
      texts.add(
          new TokenBatches.Row(
              text.ids(), text.typeIds(), new EmbeddingLabel(column, key, score).encode()));
      whole.add(Math.max(text.ids().length, one.longest()));
    }
    return JoinedTexts.join(texts, whole);
  }

  /** Reads and tokenises rows. */
  private final class Reader implements RowReader<TokenBatches.Row> {

    private final RelatedTexts.Reader related;

    Reader(RelatedTexts.TextColumns columns) {
      related = new RelatedTexts.Reader(columns);
    }

    @Override
    public void header(List<String> header, String file) {
      related.header(header, file);
    }

    @Override
    public void row(Row row, List<TokenBatches.Row> rows) {
      List<RelatedTexts> read = new ArrayList<>();
      related.row(row, read);
      check(read.get(0), row::position);
      rows.add(joined(read.get(0)));
    }
  }

  /** Joined rows of a stream, packed as {@link LabelledTokens}. */
  private final class Packed implements ChunkRows {

    private final RowChunks chunks;
    private final RelatedTexts.TextColumns columns;
    private final TokenCache cache;
    private final LongCount counted;
    private boolean warned;

    Packed(
        RowChunks chunks, RelatedTexts.TextColumns columns, TokenCache cache, LongCount counted) {
      this.chunks = chunks;
      this.columns = columns;
      this.cache = cache;
      this.counted = counted;
    }

    @Override
    public int length() {
      return tokenizer.longest();
    }

    @Override
    public String name() {
      return String.format(
          Locale.ROOT,
          "%d related texts of %s, \"%s\", \"%s\", %s%s",
          loss.columns(),
          columns,
          queryPrompt,
          documentPrompt,
          loss.kind().scored(),
          chunks.name());
    }

    @Override
    public int[] tokens(TextChunks.Chunk chunk) {
      return cache.get(length() + " tokens, " + name(), chunk.text(), text -> pack(chunk));
    }

    private int[] pack(TextChunks.Chunk chunk) {
      List<TokenBatches.Row> rows = chunks.read(chunk, new Reader(columns));
      IntBuffer packed =
          IntBuffer.allocate(rows.stream().mapToInt(LabelledTokens::packedSize).sum());
      rows.forEach(row -> LabelledTokens.pack(row, packed));
      return packed.array();
    }

    @Override
    public Iterator<StreamedRow> rows(Iterator<int[]> chunks) {
      return ChunkRows.unpacked(chunks, this::unpack);
    }

    private List<StreamedRow> unpack(int[] packed) {
      List<StreamedRow> rows = new ArrayList<>();
      IntBuffer left = IntBuffer.wrap(packed);
      while (left.hasRemaining()) {
        LabelledTokens row = LabelledTokens.unpack(left);
        JoinedTexts.count(row.row(), counted);
        warnOfScore(JoinedTexts.score(row.row()));
        rows.add(row);
      }
      return rows;
    }

    private void warnOfScore(float score) {
      if (loss.kind() == EmbeddingLoss.Kind.COSINE && !warned && (score < 0 || score > 1)) {
        warned = true;
        Warnings.warn(
            "Among the scores is %s, but the loss cosine compares them with cosines; scale them to 0"
                + " to 1, or use cosent, for which only their order counts.",
            score);
      }
    }
  }
}

package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.files.Digest;
import org.tokentune.formats.ModelFiles;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/**
 * Streams plain text, instructions or conversations of any size as batches for a causal language
 * model, labelled texts as batches for a classifier, or texts that belong together as batches for a
 * sentence encoder, with only a window of rows in memory. The chunks of the file are read in random
 * order, tokenised ahead in a separate thread and turned into rows, which are shuffled through the
 * window. The last chunk is held back for validation.
 */
public final class StreamedRows implements AutoCloseable {

  /** The number of rows in the window. Rows of 128 tokens take 8 MB, from about 5 MB of text. */
  private static final int WINDOW = 16_384;

  /** The number of chunks that are tokenised ahead. */
  private static final int AHEAD = 2;

  private final TextChunks chunks;
  private final ChunkRows rows;
  private final Objective task;
  private final int window;
  private final AtomicLong read = new AtomicLong();
  private final AtomicLong leftOut = new AtomicLong();

  /** Of texts that are longer than fits; null if they are not counted. */
  private LongCount counted;

  private boolean packs;
  private final AtomicLong packedRows = new AtomicLong();
  private final AtomicLong packedTokens = new AtomicLong();

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread made = new Thread(work, "tokens");
            made.setDaemon(true);
            return made;
          });

  StreamedRows(TextChunks chunks, ChunkRows rows, int window) {
    this(chunks, rows, Objectives.CAUSAL_LM, window);
  }

  private StreamedRows(TextChunks chunks, ChunkRows rows, Objective task, int window) {
    this.chunks = chunks;
    this.rows = rows;
    this.task = task;
    this.window = window;
    if (chunks.count() < 2) {
      throw new BadSettingsException(
          "%s has only %,d bytes; it need not be streamed.", chunks.file(), chunks.size());
    }
  }

  /**
   * Opens a file of plain text in UTF-8, whose tokens are joined and cut into blocks.
   *
   * @param tokenise tokenises a text; called on another thread
   * @param length tokens per block
   * @throws BadInputException if the file is missing, or too small for streaming
   */
  public static StreamedRows ofText(Path file, Function<String, int[]> tokenise, int length) {
    required(file, "file");
    required(tokenise, "tokenise");

    JoinedBlocks blocks = new JoinedBlocks("blocks", chunk -> tokenise.apply(chunk.text()), length);
    return new StreamedRows(TextChunks.ofText(file), blocks, WINDOW);
  }

  /**
   * Opens plain text in UTF-8 or the texts of rows, and caches their tokens.
   *
   * @param columns the text's column in a file of rows, of any format of {@link RowSource}
   * @param files of the model, by which its cached tokens are identified
   * @param length tokens of a block
   * @throws BadInputException if the file is missing, or too small for streaming
   */
  public static StreamedRows ofText(
      Path file, Columns columns, TextTokenizer tokenizer, ModelFiles files, int length) {
    required(file, "file");
    required(columns, "columns");
    required(tokenizer, "tokenizer");
    required(files, "files");

    TokenCache cache = TokenCache.of(files);
    if (!RowFormat.isNamed(file)) {
      return ofText(file, text -> cache.get("text", text, tokenizer::encodePiece), length);
    }
    RowChunks rows =
        RowChunks.open(file, new TextBlocks.Texts(columns, tokenizer), TextChunks.CHUNK);
    String name = "texts of " + columns + rows.name() + ", " + tokenizer.ends();
    Function<TextChunks.Chunk, int[]> tokenise =
        chunk ->
            cache.get(
                name,
                chunk.text(),
                text ->
                    TextBlocks.join(rows.read(chunk, new TextBlocks.Texts(columns, tokenizer))));
    return new StreamedRows(rows.chunks(), new JoinedBlocks(name, tokenise, length), WINDOW);
  }

  /** Texts whose words are hidden. */
  static StreamedRows ofMaskable(TextChunks chunks, ChunkRows rows) {
    return new StreamedRows(chunks, rows, Objectives.MASKED_LM, WINDOW);
  }

  /**
   * Opens {@link Instructions}, and caches their rows.
   *
   * @param files of the model, by which its cached tokens are identified
   * @param length tokens to which rows are truncated; a row without any of its answer is left out
   * @throws BadInputException if the file is missing, or too small for streaming
   */
  public static StreamedRows ofInstructions(
      Path file, PromptTemplate template, TextTokenizer tokenizer, ModelFiles files, int length) {
    required(file, "file");
    required(template, "template");
    required(tokenizer, "tokenizer");
    required(files, "files");

    RowChunks rows = RowChunks.open(file, new Instructions.Reader(), TextChunks.CHUNK);
    return new StreamedRows(
        rows.chunks(),
        new PackedInstructions(rows, template, tokenizer, TokenCache.of(files), length),
        WINDOW);
  }

  /**
   * Opens a file of {@link Conversations}, and caches their rows, unless the template reads the
   * clock.
   *
   * @param files of the model, by which its cached tokens are identified
   * @param length tokens to which rows are cut; a row of which nothing learned is left is left out
   * @throws BadInputException if the file is missing, or too small for streaming
   */
  public static StreamedRows ofChats(
      Path file, ChatFormat format, ChatFormat.Learned learned, ModelFiles files, int length) {
    required(file, "file");
    required(format, "format");
    required(learned, "learned");
    required(files, "files");

    RowChunks rows = RowChunks.open(file, new Conversations.Reader(), TextChunks.CHUNK);
    return new StreamedRows(
        rows.chunks(),
        new PackedChats(rows, format, learned, TokenCache.of(files), length),
        WINDOW);
  }

  /**
   * Opens a file of labelled texts, and caches their tokens.
   *
   * @param labels that the file may have: {@link Labels#ofFile} reads them
   * @param tokenizer of the model, for texts as long as it takes
   * @param onLong what becomes of longer texts
   * @param files of the model, by which its cached tokens are identified
   * @throws BadInputException if the file is missing, or too small for streaming
   */
  public static StreamedRows ofLabelled(
      Path file,
      Columns columns,
      Labels labels,
      TextTokenizer tokenizer,
      OnLong onLong,
      ModelFiles files) {
    required(file, "file");
    required(columns, "columns");
    required(labels, "labels");
    required(tokenizer, "tokenizer");
    required(onLong, "onLong");
    required(files, "files");

    return ofLabelled(
        file, columns, labels, tokenizer, onLong, TokenCache.of(files), TextChunks.CHUNK, WINDOW);
  }

  static StreamedRows ofLabelled(
      Path file,
      Columns columns,
      Labels labels,
      TextTokenizer tokenizer,
      OnLong onLong,
      TokenCache cache,
      int bytes,
      int window) {
    RowChunks rows = RowChunks.open(file, new TextFiles.Examples(columns, true), bytes);
    LongCount counted = new LongCount(tokenizer.longest(), onLong);
    StreamedRows streamed =
        new StreamedRows(
            rows.chunks(),
            new PackedTexts(rows, columns, labels, tokenizer, onLong, cache, counted),
            labels.task(),
            window);
    streamed.counted = counted;
    return streamed;
  }

  /** Rows of texts that belong together, each of {@link JoinedTexts}. */
  static StreamedRows ofRelated(
      TextChunks chunks, ChunkRows rows, EmbeddingLoss loss, LongCount counted) {
    StreamedRows streamed = new StreamedRows(chunks, rows, Objectives.embed(loss), WINDOW);
    streamed.counted = counted;
    return streamed;
  }

  /**
   * The same, which from now on packs the rows that are in memory together into rows of as many
   * tokens as one may have: see {@link Packing}. Rows to validate on are not packed.
   */
  public StreamedRows packed() {
    packs = true;
    return this;
  }

  /** The size of the file in bytes. */
  public long size() {
    return chunks.size();
  }

  /** The maximal number of tokens in a row. */
  public int length() {
    return rows.length();
  }

  /**
   * The rows of the last chunk.
   *
   * @throws BadInputException if it has none
   */
  public List<TokenBatches.Row> validation() {
    int[] last = rows.tokens(chunks.read(chunks.count() - 1));
    List<TokenBatches.Row> held =
        learned(rows.rows(List.of(last).iterator())).map(StreamedRow::row).toList();
    if (held.isEmpty()) {
      throw new BadDataException(
          "The end of %s is held back for validation, but none of its rows has a token to predict within %d tokens; allow longer rows, or give a validation file.",
          chunks.file(), length());
    }
    return held;
  }

  /**
   * The rows of the last chunk, if they are texts that belong together: those of each row.
   *
   * @throws BadInputException if it has none
   */
  public List<List<TokenBatches.Row>> relatedValidation() {
    return validation().stream().map(JoinedTexts::split).toList();
  }

  /** A digest that identifies the rows among those of the same tokenizer. Reads the whole file. */
  public String digest() {
    Digest digest = new Digest().add(rows.name()).add(new int[] {length(), window});
    if (packs) {
      digest.add("packed");
    }
    IntStream.range(0, chunks.count()).forEach(number -> digest.add(chunks.read(number).text()));
    return digest.hex();
  }

  /**
   * The batches of an epoch, which depend only on the seed and the epoch. They cannot be reset.
   *
   * @throws BadInputException if there are none
   */
  public MultiDataSetIterator batches(int batchSize, long seed, int epoch) {
    Random random = TokenBatches.random(seed, epoch);
    BatchIterator batches =
        task.embeddingLoss().isPresent()
            ? EmbeddingBatches.streamed(rows(random), task, batchSize, length())
            : pooled(rows(random), batchSize, random);
    if (!batches.hasNext()) {
      throw new BadDataException(
          "None of the rows of %s has a token to predict within %d tokens; allow longer rows.",
          chunks.file(), length());
    }
    return batches;
  }

  private BatchIterator pooled(Iterator<TokenBatches.Row> rows, int batchSize, Random random) {
    return new PooledBatches(() -> pool(rows, batchSize, random));
  }

  private TokenBatches pool(Iterator<TokenBatches.Row> rows, int batchSize, Random random) {
    List<TokenBatches.Row> some = new ArrayList<>();
    // As many tokens as the rows have if they are full, or as many rows.
    long most = (long) TokenBatches.POOL * batchSize * (packs ? length() : 1);
    for (long taken = 0; taken < most && rows.hasNext(); ) {
      some.add(rows.next());
      taken += packs ? some.get(some.size() - 1).ids().length : 1;
    }
    return TokenBatches.ofPool(packs ? packed(some) : some, task, batchSize, length(), random);
  }

  private List<TokenBatches.Row> packed(List<TokenBatches.Row> some) {
    List<TokenBatches.Row> packed = Packing.pack(some, length());
    packedRows.addAndGet(packed.size());
    packedTokens.addAndGet(packed.stream().mapToLong(row -> row.ids().length).sum());
    return packed;
  }

  /** The rows of an epoch, one by one. They depend only on the seed and the epoch. */
  public Iterator<TokenBatches.Row> rows(long seed, int epoch) {
    return rows(TokenBatches.random(seed, epoch));
  }

  private Iterator<TokenBatches.Row> rows(Random random) {
    List<Integer> order =
        IntStream.range(0, chunks.count() - 1)
            .boxed()
            .collect(Collectors.toCollection(ArrayList::new));
    Collections.shuffle(order, random);
    Iterator<StreamedRow> inOrder = learned(rows.rows(new Ahead(order.iterator()))).iterator();
    return stream(new ShuffleWindow<>(inOrder, window, random)).map(StreamedRow::row).iterator();
  }

  /** Counts all rows, and skips those that are left out. */
  private Stream<StreamedRow> learned(Iterator<StreamedRow> all) {
    return stream(all)
        .filter(
            row -> {
              boolean left = row.ids().length == 0;
              read.incrementAndGet();
              leftOut.addAndGet(left ? 1 : 0);
              return !left;
            });
  }

  private static Stream<StreamedRow> stream(Iterator<StreamedRow> tokens) {
    Iterable<StreamedRow> all = () -> tokens;
    return StreamSupport.stream(all.spliterator(), false);
  }

  /**
   * Warns if some of the rows that were read so far are left out, cut or split, and says how full
   * packed ones are.
   */
  public void warnOfLeftOut() {
    if (packedRows.get() > 0) {
      Warnings.note(
          "%s: on average %.1f of %,d tokens of a packed row were used.",
          chunks.file(), packedTokens.get() / (double) packedRows.get(), length());
    }
    if (counted != null) {
      counted.warn();
    }
    if (leftOut.get() > 0) {
      Warnings.warn(
          "%s, as far as it was read: %s.", chunks.file(), rows.leftOut(leftOut.get(), read.get()));
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }

  /** Chunks that are tokenised ahead. */
  private final class Ahead implements Iterator<int[]> {

    private final Iterator<Integer> order;
    private final Deque<Future<int[]>> ahead = new ArrayDeque<>();

    Ahead(Iterator<Integer> order) {
      this.order = order;
    }

    /** Keeps chunks ahead for as long as there are any. */
    @Override
    public boolean hasNext() {
      while (ahead.size() <= AHEAD && order.hasNext()) {
        int number = order.next();
        ahead.add(thread.submit(() -> rows.tokens(chunks.read(number))));
      }
      return !ahead.isEmpty();
    }

    @Override
    public int[] next() {
      try {
        return ahead.remove().get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof BadInputException bad) {
          throw bad;
        }
        throw new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new BadDataException(e, "Reading text was interrupted.");
      }
    }
  }
}

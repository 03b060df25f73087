package org.tokentune.datasets;

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
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.checkpoint.Digest;
import org.tokentune.objectives.Objectives;

/**
 * Plain text or instructions of any size as batches for a causal language model, of which only a
 * window is held. Chunks of the file come in a random order, are tokenised ahead in a thread of
 * their own and made into rows, which are shuffled through the window. The file's last chunk is
 * left out, to validate on.
 */
public final class StreamedRows implements AutoCloseable {

  /** Rows that are held: of 128 tokens 8 MB, and some 5 MB of text. */
  private static final int WINDOW = 16_384;

  /** Chunks that are tokenised before they are asked for. */
  private static final int AHEAD = 2;

  private final TextChunks chunks;
  private final ChunkRows rows;
  private final int window;
  private final AtomicLong read = new AtomicLong();
  private final AtomicLong leftOut = new AtomicLong();
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread made = new Thread(work, "tokens");
            made.setDaemon(true);
            return made;
          });

  StreamedRows(TextChunks chunks, ChunkRows rows, int window) {
    this.chunks = chunks;
    this.rows = rows;
    this.window = window;
    if (chunks.count() < 2) {
      throw new BadSettingsException(
          "%s has only %,d bytes; it need not be streamed.", chunks.file(), chunks.size());
    }
  }

  /**
   * Opens plain text in UTF-8, to be joined and cut into blocks.
   *
   * @param tokenise makes tokens of a text; on another thread
   * @param length tokens of a block
   * @throws BadInputException if the file is missing, or too small to be worth it
   */
  public static StreamedRows ofText(Path file, Function<String, int[]> tokenise, int length) {
    return new StreamedRows(TextChunks.ofText(file), new JoinedBlocks(tokenise, length), WINDOW);
  }

  /**
   * Opens plain text in UTF-8, whose tokens are cached.
   *
   * @param length tokens of a block
   * @throws BadInputException if the file is missing, or too small to be worth it
   */
  public static StreamedRows ofText(
      Path file, TextTokenizer tokenizer, TokenCache cache, int length) {
    return ofText(file, text -> cache.get("text", text, tokenizer::encodePiece), length);
  }

  /**
   * Opens {@link Instructions}, whose rows are cached.
   *
   * @param length tokens to which rows are cut; one of whose answer nothing is left is left out
   * @throws BadInputException if the file is missing, is one JSON array, or too small to be worth
   *     it
   */
  public static StreamedRows ofInstructions(
      Path file, PromptTemplate template, TextTokenizer tokenizer, TokenCache cache, int length) {
    JsonRows.checkLines(file);
    return new StreamedRows(
        TextChunks.ofLines(file),
        new PackedInstructions(template, tokenizer, cache, length),
        WINDOW);
  }

  /** Bytes of the file. */
  public long size() {
    return chunks.size();
  }

  /** Most tokens of a row. */
  public int length() {
    return rows.length();
  }

  /**
   * Rows of the last chunk.
   *
   * @throws BadInputException if it has none
   */
  public List<TokenBatches.Row> validation() {
    int[] last = rows.tokens(chunks.read(chunks.count() - 1));
    List<TokenBatches.Row> held =
        learned(rows.rows(List.of(last).iterator())).map(PromptedTokens::row).toList();
    if (held.isEmpty()) {
      throw new BadDataException(
          "The end of %s, which is held back to validate on, has no row with anything to learn in"
              + " %d tokens; allow longer rows, or name a file to validate on.",
          chunks.file(), length());
    }
    return held;
  }

  /** Tells the rows from others of the same tokenizer; reads the whole file. */
  public String digest() {
    Digest digest = new Digest().add(rows.name()).add(new int[] {length(), window});
    IntStream.range(0, chunks.count()).forEach(number -> digest.add(chunks.read(number).text()));
    return digest.hex();
  }

  /**
   * Batches of an epoch; the same for the same seed and epoch. They cannot be reset.
   *
   * @throws BadInputException if there are none
   */
  public MultiDataSetIterator batches(int batchSize, long seed, int epoch) {
    Random random = TokenBatches.random(seed, epoch);
    Batches batches = new Batches(rows(random), length(), batchSize, random);
    if (!batches.hasNext()) {
      throw new BadDataException(
          "%s has no row with anything to learn in %d tokens; allow longer rows.",
          chunks.file(), length());
    }
    return batches;
  }

  /** An epoch's rows, one by one; the same for the same seed and epoch. */
  public Iterator<TokenBatches.Row> rows(long seed, int epoch) {
    return rows(TokenBatches.random(seed, epoch));
  }

  private Iterator<TokenBatches.Row> rows(Random random) {
    List<Integer> order =
        IntStream.range(0, chunks.count() - 1)
            .boxed()
            .collect(Collectors.toCollection(ArrayList::new));
    Collections.shuffle(order, random);
    Iterator<PromptedTokens> inOrder = learned(rows.rows(new Ahead(order.iterator()))).iterator();
    return stream(new ShuffleWindow<>(inOrder, window, random)).map(PromptedTokens::row).iterator();
  }

  /** Counts rows, and passes over those that are left out. */
  private Stream<PromptedTokens> learned(Iterator<PromptedTokens> all) {
    return stream(all)
        .filter(
            row -> {
              boolean left = row.ids().length == 0;
              read.incrementAndGet();
              leftOut.addAndGet(left ? 1 : 0);
              return !left;
            });
  }

  private static Stream<PromptedTokens> stream(Iterator<PromptedTokens> tokens) {
    Iterable<PromptedTokens> all = () -> tokens;
    return StreamSupport.stream(all.spliterator(), false);
  }

  /** Warns of instructions that are left out, of those that were read so far, where there are. */
  public void warnOfLeftOut() {
    if (leftOut.get() > 0) {
      Warnings.warn(
          "%s, as far as it was read: %s.",
          chunks.file(), Instructions.leftOut(leftOut.get(), read.get(), length()));
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }

  /** Chunks, tokenised before they are asked for. */
  private final class Ahead implements Iterator<int[]> {

    private final Iterator<Integer> order;
    private final Deque<Future<int[]>> ahead = new ArrayDeque<>();

    Ahead(Iterator<Integer> order) {
      this.order = order;
    }

    /** Whether there is a chunk ahead; there are always some, as long as there are chunks. */
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
        throw new BadInputException(e, "Reading text was interrupted.");
      }
    }
  }

  /** Batches of a pool of rows, and of the next. */
  private static final class Batches extends BatchIterator {

    private final transient Iterator<TokenBatches.Row> rows;
    private final int longest;
    private final int size;
    private final Random random;
    private transient TokenBatches pool;

    Batches(Iterator<TokenBatches.Row> rows, int longest, int size, Random random) {
      this.rows = rows;
      this.longest = longest;
      this.size = size;
      this.random = random;
      pool = pool();
    }

    private TokenBatches pool() {
      List<TokenBatches.Row> some = new ArrayList<>();
      while (some.size() < TokenBatches.POOL * size && rows.hasNext()) {
        some.add(rows.next());
      }
      return TokenBatches.ofPool(some, Objectives.CAUSAL_LM, size, longest, random);
    }

    @Override
    public boolean hasNext() {
      return pool.hasNext();
    }

    @Override
    MultiDataSet batch() {
      MultiDataSet batch = pool.next();
      if (!pool.hasNext()) {
        pool = pool();
      }
      return batch;
    }

    @Override
    public boolean resetSupported() {
      return false;
    }

    @Override
    public void reset() {
      throw new UnsupportedOperationException("a stream is read once");
    }
  }
}

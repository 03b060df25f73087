package org.tokentune.datasets;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.Digest;
import org.tokentune.models.Task;

/**
 * Plain text of any size as batches for a causal language model, of which only a window is held.
 * Chunks of the file come in a random order, are tokenised ahead in a thread of their own, joined,
 * and cut into blocks, which are shuffled through the window. The file's last chunk is left out, to
 * validate on.
 */
public final class StreamedText implements AutoCloseable {

  /** Blocks that are held: of 128 tokens 8 MB, and some 5 MB of text. */
  private static final int WINDOW = 16_384;

  /** Chunks that are tokenised before they are asked for. */
  private static final int AHEAD = 2;

  private final TextChunks chunks;
  private final Function<String, int[]> tokenise;
  private final int length;
  private final int window;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread made = new Thread(work, "tokens");
            made.setDaemon(true);
            return made;
          });

  StreamedText(TextChunks chunks, Function<String, int[]> tokenise, int length, int window) {
    this.chunks = chunks;
    this.tokenise = tokenise;
    this.length = length;
    this.window = window;
    if (chunks.count() < 2) {
      throw new BadInputException(
          "%s has only %,d bytes; it need not be streamed.", chunks.file(), chunks.size());
    }
  }

  /**
   * Opens a text file in UTF-8.
   *
   * @param tokenise makes tokens of a text; on another thread
   * @param length tokens of a block
   * @throws BadInputException if the file is missing, or too small to be worth it
   */
  public static StreamedText open(Path file, Function<String, int[]> tokenise, int length) {
    return new StreamedText(TextChunks.of(file), tokenise, length, WINDOW);
  }

  /**
   * Opens a text file in UTF-8, whose tokens are cached.
   *
   * @param length tokens of a block
   * @throws BadInputException if the file is missing, or too small to be worth it
   */
  public static StreamedText open(
      Path file, TextTokenizer tokenizer, TokenCache cache, int length) {
    return open(file, text -> cache.get(text, tokenizer::encodePiece), length);
  }

  /** Bytes of the file. */
  public long size() {
    return chunks.size();
  }

  /** Blocks of the last chunk. */
  public List<TokenBatches.Row> validation() {
    return TextBlocks.cut(tokenise.apply(chunks.read(chunks.count() - 1)), length);
  }

  /** Tells the blocks from others of the same tokenizer; reads the whole file. */
  public String digest() {
    Digest digest = new Digest().add(new int[] {length, window});
    IntStream.range(0, chunks.count()).forEach(number -> digest.add(chunks.read(number)));
    return digest.hex();
  }

  /** Batches of an epoch; the same for the same seed and epoch. They cannot be reset. */
  public MultiDataSetIterator batches(int batchSize, long seed, int epoch) {
    return new Batches(blocks(seed, epoch), batchSize);
  }

  /** An epoch's blocks, of {@code length} tokens each but for a shorter one. */
  public Iterator<int[]> blocks(long seed, int epoch) {
    Random random = new Random(new SplittableRandom(seed).nextLong() + epoch);
    List<Integer> order =
        IntStream.range(0, chunks.count() - 1)
            .boxed()
            .collect(Collectors.toCollection(ArrayList::new));
    Collections.shuffle(order, random);
    return new ShuffleWindow<>(new Blocks(order.iterator()), window, random);
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }

  /** Tokens of chunks, joined and cut. */
  private final class Blocks implements Iterator<int[]> {

    private final Iterator<Integer> order;
    private final Deque<Future<int[]>> ahead = new ArrayDeque<>();
    private int[] tokens = {};
    private int from;

    Blocks(Iterator<Integer> order) {
      this.order = order;
    }

    @Override
    public boolean hasNext() {
      while (tokens.length - from < length && more()) {
        int[] added = take(ahead.remove());
        int[] rest = Arrays.copyOfRange(tokens, from, tokens.length + added.length);
        System.arraycopy(added, 0, rest, tokens.length - from, added.length);
        tokens = rest;
        from = 0;
      }
      return tokens.length - from >= TextBlocks.LEAST;
    }

    /** Whether there is a chunk ahead; there are always some, as long as there are chunks. */
    private boolean more() {
      while (ahead.size() <= AHEAD && order.hasNext()) {
        int number = order.next();
        ahead.add(thread.submit(() -> tokenise.apply(chunks.read(number))));
      }
      return !ahead.isEmpty();
    }

    private static int[] take(Future<int[]> chunk) {
      try {
        return chunk.get();
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

    @Override
    public int[] next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      int[] block = Arrays.copyOfRange(tokens, from, Math.min(tokens.length, from + length));
      from += block.length;
      return block;
    }
  }

  private static final class Batches extends BatchIterator {

    private final transient Iterator<int[]> blocks;
    private final int size;

    Batches(Iterator<int[]> blocks, int size) {
      this.blocks = blocks;
      this.size = size;
    }

    @Override
    public boolean hasNext() {
      return blocks.hasNext();
    }

    @Override
    MultiDataSet batch() {
      List<TokenBatches.Row> rows = new ArrayList<>();
      while (rows.size() < size && blocks.hasNext()) {
        rows.add(TokenBatches.Row.ofText(blocks.next(), 0));
      }
      return TokenBatches.byLength(rows, Task.CAUSAL_LM, size).next();
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

package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadDataException;
import org.tokentune.Warnings;
import org.tokentune.objectives.EmbeddingLabel;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.Objective;

/**
 * Batches of rows of several texts each. A batch has its texts column by column: the anchors of all
 * rows, then their positives, then each column of negatives.
 *
 * <p>Where the other rows of a batch are negatives, no text is in two rows of a batch, in whichever
 * columns: of equal rows, the one would be the other's negative.
 */
public final class EmbeddingBatches extends BatchIterator {

  private final transient List<List<TokenBatches.Row>> rows;
  private final transient Objective task;
  private final List<List<Integer>> batches;
  private final int longest;
  private int next;

  private EmbeddingBatches(
      List<List<TokenBatches.Row>> rows, Objective task, List<List<Integer>> batches) {
    this(
        rows,
        task,
        batches,
        rows.stream().flatMap(List::stream).mapToInt(text -> text.ids().length).max().orElse(0));
  }

  /**
   * @param longest tokens of any text of the data
   */
  private EmbeddingBatches(
      List<List<TokenBatches.Row>> rows, Objective task, List<List<Integer>> batches, int longest) {
    this.rows = rows;
    this.task = task;
    this.batches = batches;
    this.longest = longest;
  }

  /**
   * Batches for training, in an order that depends on the seed and the epoch; as many in every
   * epoch.
   *
   * @param rows of equally many texts each, whose labels are {@link EmbeddingLabel}s
   * @param sampling of the rows; null: each of them once
   */
  public static EmbeddingBatches shuffled(
      List<List<TokenBatches.Row>> rows,
      Objective task,
      RowSampling sampling,
      int batchSize,
      long seed,
      int epoch) {
    required(rows, "rows");
    required(task, "task");

    TokenBatches.checkSize(batchSize);
    List<List<Integer>> batches = shuffled(rows, task, sampling, batchSize, random(seed, epoch));
    if (epoch > 0) {
      fit(batches, shuffled(rows, task, sampling, batchSize, random(seed, 0)).size());
    } else {
      warnOfSmall(rows.size(), batches.size(), batchSize);
    }
    return new EmbeddingBatches(rows, task, batches);
  }

  private static Random random(long seed, int epoch) {
    return TokenBatches.random(seed, epoch);
  }

  private static List<List<Integer>> shuffled(
      List<List<TokenBatches.Row>> rows,
      Objective task,
      RowSampling sampling,
      int batchSize,
      Random random) {
    List<Integer> order = RowSampling.numbers(sampling, rows.size(), random);
    Collections.shuffle(order, random);
    List<List<Integer>> batches = cut(rows, order, task, batchSize);
    Collections.shuffle(batches, random);
    return batches;
  }

  /** A row that is alone in its batch has no negatives, and nothing to learn. */
  private static void warnOfSmall(int rows, int batches, int size) {
    if (2L * rows < (long) batches * size && batches > 1) {
      Warnings.warn(
          "Many rows share a text with others, which are therefore in other batches: they have %.1f rows"
              + " on average, not %d, and fewer negatives; leave out rows with the same text.",
          rows / (double) batches, size);
    }
  }

  /**
   * Makes as many batches as there are in the first epoch. Which rows can be together differs a
   * little from order to order; rows that are left over come again in another epoch.
   */
  private static void fit(List<List<Integer>> batches, int count) {
    while (batches.size() > count) {
      batches.remove(
          IntStream.range(0, batches.size())
              .boxed()
              .min((a, b) -> Integer.compare(batches.get(a).size(), batches.get(b).size()))
              .orElseThrow()
              .intValue());
    }
    while (batches.size() < count) {
      List<Integer> largest =
          Collections.max(batches, (a, b) -> Integer.compare(a.size(), b.size()));
      int half = largest.size() / 2;
      if (half == 0) {
        throw new BadDataException("There are fewer rows than batches; give more rows.");
      }
      batches.add(new ArrayList<>(largest.subList(half, largest.size())));
      largest.subList(half, largest.size()).clear();
    }
  }

  /** Batches for evaluation, in the order of the rows. */
  public static EmbeddingBatches inOrder(
      List<List<TokenBatches.Row>> rows, Objective task, int batchSize) {
    required(rows, "rows");
    required(task, "task");

    TokenBatches.checkSize(batchSize);
    List<Integer> all = IntStream.range(0, rows.size()).boxed().toList();
    return new EmbeddingBatches(rows, task, cut(rows, all, task, batchSize));
  }

  /**
   * Batches of a stream of {@link JoinedTexts}, in its order.
   *
   * @param longest tokens of any text
   */
  static BatchIterator streamed(
      Iterator<TokenBatches.Row> rows, Objective task, int batchSize, int longest) {
    TokenBatches.checkSize(batchSize);
    return new PooledBatches(new Pools(rows, task, batchSize, longest)::next);
  }

  /**
   * Makes pools of a stream's rows. Rows that do not fill a batch wait for the next pool. The batch
   * with the longest text comes first, because the first batch of a stream is assumed to be the
   * largest.
   */
  private static final class Pools {

    private final Iterator<TokenBatches.Row> rows;
    private final Objective task;
    private final int size;
    private final int longest;
    private List<List<TokenBatches.Row>> waiting = new ArrayList<>();
    private boolean first = true;

    Pools(Iterator<TokenBatches.Row> rows, Objective task, int size, int longest) {
      this.rows = rows;
      this.task = task;
      this.size = size;
      this.longest = longest;
    }

    EmbeddingBatches next() {
      List<List<TokenBatches.Row>> pool = List.of();
      List<List<Integer>> batches = new ArrayList<>();
      int most = TokenBatches.POOL * size;
      while (batches.isEmpty() && (rows.hasNext() || !waiting.isEmpty())) {
        pool = waiting;
        waiting = new ArrayList<>();
        // Rows that hardly fit together do not wait for ever.
        boolean last = 2 * pool.size() > most;
        while (pool.size() < most && rows.hasNext()) {
          pool.add(JoinedTexts.split(rows.next()));
        }
        last |= !rows.hasNext();
        List<Integer> order = IntStream.range(0, pool.size()).boxed().toList();
        List<List<Integer>> cut = cut(pool, order, task, size);
        if (first) {
          warnOfSmall(pool.size(), cut.size(), size);
          first = false;
        }
        for (List<Integer> batch : cut) {
          if (last || batch.size() == size) {
            batches.add(batch);
          } else {
            batch.stream().map(pool::get).forEach(waiting::add);
          }
        }
      }
      putLongestFirst(pool, batches);
      return new EmbeddingBatches(pool, task, batches, longest);
    }

    private static void putLongestFirst(
        List<List<TokenBatches.Row>> rows, List<List<Integer>> batches) {
      IntStream.range(0, batches.size())
          .boxed()
          .max(Comparator.comparingInt(i -> tokens(rows, batches.get(i))))
          .ifPresent(i -> batches.add(0, batches.remove(i.intValue())));
    }

    private static int tokens(List<List<TokenBatches.Row>> rows, List<Integer> batch) {
      return batch.stream()
          .flatMap(row -> rows.get(row).stream())
          .mapToInt(text -> text.ids().length)
          .max()
          .orElseThrow();
    }
  }

  /** Puts every row into the first batch that has room for it and none of its texts. */
  private static List<List<Integer>> cut(
      List<List<TokenBatches.Row>> rows, List<Integer> order, Objective task, int size) {
    boolean distinct = task.embeddingLoss().orElseThrow().kind() == EmbeddingLoss.Kind.RANKING;
    List<List<Integer>> batches = new ArrayList<>();
    List<Set<Long>> keys = new ArrayList<>();
    int firstOpen = 0;
    for (int number : order) {
      Set<Long> own = distinct ? keys(rows.get(number)) : Set.of();
      int at = firstOpen;
      while (at < batches.size()
          && (batches.get(at).size() == size || !Collections.disjoint(keys.get(at), own))) {
        at++;
      }
      if (at == batches.size()) {
        batches.add(new ArrayList<>());
        keys.add(new HashSet<>());
      }
      batches.get(at).add(number);
      keys.get(at).addAll(own);
      while (firstOpen < batches.size() && batches.get(firstOpen).size() == size) {
        keys.set(firstOpen, Set.of());
        firstOpen++;
      }
    }
    return batches;
  }

  private static Set<Long> keys(List<TokenBatches.Row> row) {
    Set<Long> keys = new HashSet<>();
    row.forEach(text -> keys.add(EmbeddingLabel.keyIn(text.labels())));
    return keys;
  }

  @Override
  public boolean hasNext() {
    return next < batches.size();
  }

  @Override
  MultiDataSet batch() {
    List<Integer> numbers = batches.get(next++);
    List<TokenBatches.Row> texts = new ArrayList<>();
    for (int column = 0; column < rows.get(numbers.get(0)).size(); column++) {
      for (int number : numbers) {
        texts.add(rows.get(number).get(column));
      }
    }
    return TokenBatches.batch(texts, task, longest);
  }

  @Override
  public void reset() {
    next = 0;
  }
}

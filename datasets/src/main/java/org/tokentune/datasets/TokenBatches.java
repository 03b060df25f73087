package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadSettingsException;
import org.tokentune.objectives.Objective;
import org.tokentune.select.PaddedLength;
import org.tokentune.select.TokenSelector;

/**
 * Batches of tokenised rows of similar length, padded to the longest row of the batch or a few
 * tokens more, so that there are few distinct lengths: each one needs its own plan.
 *
 * <p>Features are ids, attention mask and token types (see {@link Row}), INT32 [batch, length].
 * Labels, if the rows have any: INT32 [batch] for classes, INT32 [batch, 2] for answers, FLOAT
 * [batch, labels] for multi-label classification, FLOAT [batch, 1] for a number, INT32 [batch,
 * length] for tags and language models.
 */
public final class TokenBatches extends BatchIterator {

  /**
   * The number of batches within which rows are sorted by length; a larger number means less
   * padding and less randomness.
   */
  static final int POOL = 50;

  /**
   * Tokens of a batch by tokens, padding included. More take no less time per token, and more rows
   * of short texts do not fill a batch and are padded.
   */
  static final int BATCH_TOKENS = 512;

  private final List<Row> rows;
  private final Objective task;
  private final List<int[]> batches;
  private final int longest;
  private int next;

  /**
   * A tokenised row.
   *
   * @param typeIds token types; for a causal language model, which has none, where in the row each
   *     token's own text begins: 0 unless several are packed
   * @param labels as {@link Labels#encode} returns them; for a language model, the tokens
   *     themselves; null if there are none
   */
  public record Row(int[] ids, int[] typeIds, float[] labels) {

    /** Tokenises a labelled row. */
    public static Row of(Example row, Labels labels, TextTokenizer tokenizer) {
      TextTokenizer.Tokens tokens = tokenizer.encode(row, labels.task());
      return new Row(tokens.ids(), tokens.typeIds(), labels.encode(row, tokens));
    }

    /**
     * A row for a causal language model, in which every token except those of the prompt is a
     * label.
     *
     * @param prompt the number of tokens in it
     */
    public static Row ofText(int[] ids, int prompt) {
      float[] labels = new float[ids.length]; // exact: no vocabulary has 2^24 tokens
      for (int i = 0; i < ids.length; i++) {
        labels[i] = i < prompt ? TokenSelector.NO_LABEL : ids[i];
      }
      return new Row(ids, new int[ids.length], labels);
    }
  }

  private TokenBatches(List<Row> rows, Objective task, List<int[]> batches, int longest) {
    this.rows = rows;
    this.task = task;
    this.batches = batches;
    this.longest = longest;
  }

  private TokenBatches(List<Row> rows, Objective task, List<int[]> batches) {
    this(rows, task, batches, rows.stream().mapToInt(row -> row.ids().length).max().orElse(0));
  }

  /** Batches for training, in an order that depends on the seed and the epoch. */
  public static TokenBatches shuffled(
      List<Row> rows, Objective task, int batchSize, long seed, int epoch) {
    required(rows, "rows");
    required(task, "task");
    checkSize(batchSize);

    return shuffled(rows, task, null, batchSize, seed, epoch);
  }

  /**
   * The same with the rows that a sampling draws for the epoch.
   *
   * @param sampling of these rows; null: each of them once
   */
  public static TokenBatches shuffled(
      List<Row> rows, Objective task, RowSampling sampling, int batchSize, long seed, int epoch) {
    required(rows, "rows");
    required(task, "task");

    checkSize(batchSize);
    Random random = random(seed, epoch);
    List<Integer> order = RowSampling.numbers(sampling, rows.size(), random);
    Collections.shuffle(order, random);
    List<int[]> batches = new ArrayList<>();
    for (int from = 0; from < order.size(); from += POOL * batchSize) {
      List<Integer> pool = order.subList(from, Math.min(order.size(), from + POOL * batchSize));
      batches.addAll(cut(sorted(rows, pool), batchSize));
    }
    Collections.shuffle(batches, random);
    return new TokenBatches(rows, task, batches);
  }

  /** The source of randomness for the order in an epoch. */
  static Random random(long seed, int epoch) {
    return new Random(new SplittableRandom(seed).nextLong() + epoch);
  }

  /**
   * At most {@link #POOL} batches of a stream, whose rows are in random order already. The batch
   * with the longest rows comes first, because the first batch of a stream is assumed to be the
   * largest.
   *
   * @param longest the maximal number of tokens in a row of the stream
   */
  static TokenBatches ofPool(
      List<Row> rows, Objective task, int batchSize, int longest, Random random) {
    List<Integer> all = IntStream.range(0, rows.size()).boxed().toList();
    List<Integer> longestFirst = new ArrayList<>(sorted(rows, all));
    Collections.reverse(longestFirst);
    List<int[]> batches = cut(longestFirst, batchSize);
    Collections.shuffle(batches.subList(Math.min(1, batches.size()), batches.size()), random);
    return new TokenBatches(rows, task, batches, longest);
  }

  /**
   * Batches for evaluation and prediction, sorted by length. {@link #order} returns the order of
   * the rows.
   */
  public static TokenBatches byLength(List<Row> rows, Objective task, int batchSize) {
    required(rows, "rows");
    required(task, "task");

    checkSize(batchSize);
    List<Integer> all = IntStream.range(0, rows.size()).boxed().toList();
    return new TokenBatches(rows, task, cut(sorted(rows, all), batchSize));
  }

  /**
   * Batches for prediction of about 500 tokens each, sorted by length, almost all with as many rows
   * as others of their padded length, so that one plan suffices for it: rows that do not fill a
   * batch go with longer ones, unless these are half as long again. {@link #order} returns the
   * order of the rows.
   */
  public static TokenBatches byTokens(List<Row> rows, Objective task) {
    required(rows, "rows");
    required(task, "task");

    List<Integer> all = IntStream.range(0, rows.size()).boxed().toList();
    List<Integer> order = sorted(rows, all);
    int longest = order.isEmpty() ? 0 : rows.get(order.get(order.size() - 1)).ids().length;
    List<int[]> batches = new ArrayList<>();
    Deque<Integer> waiting = new ArrayDeque<>(); // ends with the rows of the present length
    for (int at = 0; at < order.size(); ) {
      int length = PaddedLength.of(rows.get(order.get(at)).ids().length, longest);
      if (!waiting.isEmpty() && 2 * length > 3 * rows.get(waiting.getFirst()).ids().length) {
        batches.add(all(waiting));
        waiting.clear();
      }
      int own = 0;
      for (; at < order.size() && rows.get(order.get(at)).ids().length <= length; at++, own++) {
        waiting.add(order.get(at));
      }
      int size = Math.max(1, BATCH_TOKENS / length);
      for (; own > 0 && waiting.size() >= size; own = Math.min(own - 1, waiting.size())) {
        int[] batch = new int[size];
        batch[size - 1] = waiting.removeLast(); // of this length, to which all are padded
        for (int i = 0; i < size - 1; i++) {
          batch[i] = waiting.removeFirst();
        }
        batches.add(batch);
      }
    }
    if (!waiting.isEmpty()) {
      batches.add(all(waiting));
    }
    return new TokenBatches(rows, task, batches);
  }

  private static int[] all(Collection<Integer> numbers) {
    return numbers.stream().mapToInt(Integer::intValue).toArray();
  }

  static void checkSize(int batchSize) {
    if (batchSize < 1) {
      throw BadSettingsException.of("batchSize", "must be at least 1, got %d.", batchSize);
    }
  }

  private static List<Integer> sorted(List<Row> rows, List<Integer> some) {
    return some.stream()
        .sorted(Comparator.comparingInt((Integer row) -> rows.get(row).ids().length))
        .toList();
  }

  private static List<int[]> cut(List<Integer> order, int size) {
    List<int[]> batches = new ArrayList<>();
    for (int from = 0; from < order.size(); from += size) {
      List<Integer> batch = order.subList(from, Math.min(order.size(), from + size));
      batches.add(all(batch));
    }
    return batches;
  }

  /** The numbers of the rows, in the order of the batches. */
  public int[] order() {
    return batches.stream().flatMapToInt(Arrays::stream).toArray();
  }

  @Override
  public boolean hasNext() {
    return next < batches.size();
  }

  @Override
  MultiDataSet batch() {
    return batch(nextNumbers());
  }

  /** The numbers of the rows of the next batch. */
  int[] nextNumbers() {
    return batches.get(next++);
  }

  private MultiDataSet batch(int[] numbers) {
    return batch(Arrays.stream(numbers).mapToObj(rows::get).toList(), task, longest);
  }

  /**
   * A batch of rows.
   *
   * @param longest tokens of any row of the data
   */
  static MultiDataSet batch(List<Row> chosen, Objective task, int longest) {
    int most = chosen.stream().mapToInt(row -> row.ids().length).max().orElseThrow();
    int length = PaddedLength.of(most, longest);
    int[][] ids = new int[chosen.size()][length];
    int[][] mask = new int[chosen.size()][length];
    int[][] types = new int[chosen.size()][length];
    for (int i = 0; i < chosen.size(); i++) {
      Row row = chosen.get(i);
      System.arraycopy(row.ids(), 0, ids[i], 0, row.ids().length);
      System.arraycopy(row.typeIds(), 0, types[i], 0, row.ids().length);
      Arrays.fill(mask[i], 0, row.ids().length, 1);
    }
    INDArray[] features = {
      Nd4j.createFromArray(ids), Nd4j.createFromArray(mask), Nd4j.createFromArray(types)
    };
    INDArray[] labels =
        chosen.get(0).labels() == null
            ? null
            : new INDArray[] {task.labels(chosen.stream().map(Row::labels).toList(), length)};
    return new org.nd4j.linalg.dataset.MultiDataSet(features, labels);
  }

  @Override
  public void reset() {
    next = 0;
  }
}

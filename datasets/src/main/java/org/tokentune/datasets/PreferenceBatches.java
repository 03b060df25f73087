package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.objectives.Objective;

/**
 * Batches of preferences of similar length: the chosen texts of all rows, then the rejected ones.
 */
public final class PreferenceBatches extends BatchIterator {

  private final transient List<PreferenceTokens> rows;
  private final transient Objective task;
  private final TokenBatches order;
  private final int longest;

  private PreferenceBatches(List<PreferenceTokens> rows, Objective task, TokenBatches order) {
    this.rows = rows;
    this.task = task;
    this.order = order;
    longest = rows.stream().mapToInt(row -> row.longer().ids().length).max().orElse(0);
  }

  private static List<TokenBatches.Row> longer(List<PreferenceTokens> rows) {
    return rows.stream().map(PreferenceTokens::longer).toList();
  }

  /**
   * Batches for training, in an order that depends on the seed and the epoch.
   *
   * @param sampling of the rows; null: each of them once
   * @param batchSize rows, each of two texts
   */
  public static PreferenceBatches shuffled(
      List<PreferenceTokens> rows,
      Objective task,
      RowSampling sampling,
      int batchSize,
      long seed,
      int epoch) {
    required(rows, "rows");
    required(task, "task");

    return new PreferenceBatches(
        rows, task, TokenBatches.shuffled(longer(rows), task, sampling, batchSize, seed, epoch));
  }

  /** Batches for evaluation, sorted by length. {@link #order} returns the order of the rows. */
  public static PreferenceBatches byLength(
      List<PreferenceTokens> rows, Objective task, int batchSize) {
    required(rows, "rows");
    required(task, "task");

    return new PreferenceBatches(rows, task, TokenBatches.byLength(longer(rows), task, batchSize));
  }

  /** The numbers of the rows, in the order of the batches. */
  public int[] order() {
    return order.order();
  }

  @Override
  public boolean hasNext() {
    return order.hasNext();
  }

  @Override
  MultiDataSet batch() {
    int[] numbers = order.nextNumbers();
    List<TokenBatches.Row> texts = new ArrayList<>();
    Arrays.stream(numbers).forEach(number -> texts.add(rows.get(number).chosen()));
    Arrays.stream(numbers).forEach(number -> texts.add(rows.get(number).rejected()));
    return TokenBatches.batch(texts, task, longest);
  }

  @Override
  public void reset() {
    order.reset();
  }
}

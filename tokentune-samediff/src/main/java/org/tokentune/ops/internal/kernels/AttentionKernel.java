package org.tokentune.ops.internal.kernels;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Scaled dot-product attention in tiles, without storing weights (FlashAttention-2: Dao, 2023). A
 * tile has some queries of a head and all keys that one of them sees. Its scores are in the
 * thread's own memory, and are computed again in the backward pass from each row's greatest score
 * and sum of exponentials: these two, and not the logarithm of the sum, because with scores of some
 * hundreds its rounding would change all weights of a row by 1e-4.
 *
 * <p>Rows of queries, contexts and their gradients are [batch * queries, heads * head size], those
 * of keys and values [batch * keys, keyValueHeads * head size].
 */
public final class AttentionKernel {

  /** Most floats of a tile's scores: those of a thread should stay in its second-level cache. */
  private static final int TILE_FLOATS = 1 << 17;

  private static final int MIN_ROWS = 16;
  private static final int MAX_ROWS = 128;

  /** Floats of the rows of a tile that are processed together. */
  private static final int GROUP_FLOATS = 2048;

  /** Below every score; its exponential is exactly 0. */
  private static final float MASKED = -1e30f;

  /**
   * Sizes and settings.
   *
   * @param frozen number of frozen keys of a sequence
   * @param softCap 0 for none
   */
  public record Settings(
      int batch,
      int queries,
      int selected,
      int frozen,
      int heads,
      int keyValueHeads,
      int headSize,
      float scale,
      float softCap) {

    int keys() {
      return selected + frozen;
    }
  }

  /**
   * Dropout of the weights.
   *
   * @param rowKeys of (sequence, head, query), see {@link DropoutMask#keys}
   * @param columnKeys of (sequence, key)
   */
  public record WeightDropout(int[] rowKeys, int[] columnKeys, int threshold, int kept) {}

  /**
   * Scores by the distance between query and key, which are added to the scaled ones.
   *
   * @param table [kinds, heads]
   * @param kinds of the distances, query's place minus key's; the middle one is that of distance 0
   * @param places by sequence and query
   */
  public record DistanceBias(float[] table, int[] kinds, int[] places) {}

  /**
   * Keys or values.
   *
   * @param frozen null if there are none
   */
  public record Tokens(INDArray selected, INDArray frozen) {}

  private final Blas blas;
  private final Settings settings;
  private final DistanceBias bias;
  private final WeightDropout dropout;
  private final boolean productsOnly;
  private final List<List<VisibleKeys.Tile>> tiles = new ArrayList<>(); // by sequence
  private final List<int[]> places = new ArrayList<>(); // of keys, by sequence
  private final int width; // of a row of queries
  private final int keyWidth;

  /**
   * @param first by query: the lowest visible place
   * @param last by query: the highest visible place
   * @param selectedPlaces by selected key; -1 for padding
   * @param frozenPlaces by frozen key; empty if there are none
   * @param bias null for none
   * @param dropout null for none
   * @param productsOnly whether to leave out everything but the matrix products, to time them
   */
  public AttentionKernel(
      Blas blas,
      Settings settings,
      int[] first,
      int[] last,
      int[] selectedPlaces,
      int[] frozenPlaces,
      DistanceBias bias,
      WeightDropout dropout,
      boolean productsOnly) {
    this.blas = blas;
    this.productsOnly = productsOnly;
    this.settings = settings;
    this.bias = bias;
    this.dropout = dropout;
    width = settings.heads * settings.headSize;
    keyWidth = settings.keyValueHeads * settings.headSize;
    int rows = Math.max(MIN_ROWS, Math.min(MAX_ROWS, TILE_FLOATS / Math.max(1, settings.keys())));
    for (int b = 0; b < settings.batch; b++) {
      int[] own = Arrays.copyOf(part(selectedPlaces, b, settings.selected), settings.keys());
      System.arraycopy(frozenPlaces, b * settings.frozen, own, settings.selected, settings.frozen);
      places.add(own);
      tiles.add(
          new VisibleKeys(own, settings.selected)
              .tiles(part(first, b, settings.queries), part(last, b, settings.queries), rows));
    }
  }

  private static int[] part(int[] all, int number, int length) {
    return Arrays.copyOfRange(all, number * length, (number + 1) * length);
  }

  /** One tile of one head. */
  private record Work(int sequence, int head, VisibleKeys.Tile tile) {}

  /**
   * Computes contexts and row statistics: for every sequence, head and query, the greatest score
   * and the inverse of the sum of exponentials.
   */
  public void forward(
      INDArray query, Tokens key, Tokens value, INDArray context, INDArray rowStatistics) {
    List<Work> work = new ArrayList<>();
    for (int b = 0; b < settings.batch; b++) {
      for (int h = 0; h < settings.heads; h++) {
        for (VisibleKeys.Tile tile : tiles.get(b)) {
          work.add(new Work(b, h, tile));
        }
      }
    }
    FloatBuffer statistics = Memory.floats(rowStatistics);
    try {
      Workers.run(work.size(), i -> forward(work.get(i), query, key, value, context, statistics));
    } finally {
      Reference.reachabilityFence(
          List.of(query, key.selected, value.selected, context, rowStatistics));
      Reference.reachabilityFence(key);
      Reference.reachabilityFence(value);
    }
  }

  private void forward(
      Work work,
      INDArray query,
      Tokens key,
      Tokens value,
      INDArray context,
      FloatBuffer statistics) {
    VisibleKeys.Tile tile = work.tile;
    FloatPointer weights = Scratch.get().offHeap(0, tile.count() * tile.width());
    products(work, query, key, settings.scale, weights);
    if (!productsOnly) {
      softmax(work, weights.asBuffer(), statistics);
    }
    long out = ofQuery(context, work.sequence, work.head, tile.first());
    for (VisibleKeys.Run run : tile.runs()) {
      blas.sgemm(
          false,
          false,
          tile.count(),
          settings.headSize,
          run.count(),
          1,
          column(weights, run),
          tile.width(),
          ofKey(value, work.sequence, work.head, run.first()),
          keyWidth,
          run.column() == 0 ? 0 : 1,
          out,
          width);
    }
  }

  /** The scaled products of queries, or of their contexts' gradients, and keys, or values. */
  private void products(Work work, INDArray rows, Tokens tokens, float factor, FloatPointer out) {
    VisibleKeys.Tile tile = work.tile;
    long query = ofQuery(rows, work.sequence, work.head, tile.first());
    for (VisibleKeys.Run run : tile.runs()) {
      blas.sgemm(
          false,
          true,
          tile.count(),
          run.count(),
          settings.headSize,
          factor,
          query,
          width,
          ofKey(tokens, work.sequence, work.head, run.first()),
          keyWidth,
          0,
          column(out, run),
          tile.width());
    }
  }

  private static long column(FloatPointer tile, VisibleKeys.Run run) {
    return tile.address() + (long) run.column() * Float.BYTES;
  }

  private long ofQuery(INDArray rows, int sequence, int head, int query) {
    long row = (long) sequence * settings.queries + query;
    return Memory.address(rows) + (row * width + (long) head * settings.headSize) * Float.BYTES;
  }

  private long ofKey(Tokens tokens, int sequence, int head, int key) {
    boolean isSelected = key < settings.selected;
    INDArray rows = isSelected ? tokens.selected : tokens.frozen;
    long row =
        isSelected
            ? (long) sequence * settings.selected + key
            : (long) sequence * settings.frozen + key - settings.selected;
    int group = head / (settings.heads / settings.keyValueHeads);
    return Memory.address(rows) + (row * keyWidth + (long) group * settings.headSize) * Float.BYTES;
  }

  /** Number of rows that are processed together; dropout and the cap work on one at a time. */
  private int groupRows(int tileWidth) {
    return dropout != null || settings.softCap != 0 ? 1 : Math.max(1, GROUP_FLOATS / tileWidth);
  }

  private int number(Work work, int query) {
    return (work.sequence * settings.heads + work.head) * settings.queries + query;
  }

  /** Scores to weights, in place. */
  private void softmax(Work work, FloatBuffer scores, FloatBuffer statistics) {
    VisibleKeys.Tile tile = work.tile;
    int n = tile.width();
    int group = groupRows(n);
    Scratch scratch = Scratch.get();
    float[] rows = scratch.row(0, group * n);
    int[] columns = dropout == null ? null : columnKeys(work);
    Distances distances = bias == null ? null : new Distances(work);
    float[] maxima = scratch.row(1, group);
    for (int row = 0; row < tile.count(); row += group) {
      int count = Math.min(group, tile.count() - row);
      scores.get(row * n, rows, 0, count * n);
      if (bias != null) {
        distances.addScores(row, count, rows);
      }
      cap(rows, n);
      for (int r = 0; r < count; r++) {
        int at = r * n;
        tile.forEachHidden(
            tile.first() + row + r, (from, to) -> Arrays.fill(rows, at + from, at + to, MASKED));
        maxima[r] = Sums.max(rows, at, at + n);
        Tiles.add(rows, -maxima[r], at, at + n);
      }
      Exp.inPlace(rows, count * n);
      for (int r = 0; r < count; r++) {
        float sum = Sums.sum(rows, r * n, r * n + n);
        Tiles.multiply(rows, 1 / sum, r * n, r * n + n);
        int number = number(work, tile.first() + row + r);
        statistics.put(2 * number, maxima[r]);
        statistics.put(2 * number + 1, 1 / sum);
        drop(rows, number, columns, n);
      }
      scores.put(row * n, rows, 0, count * n);
    }
  }

  private void cap(float[] row, int n) {
    if (settings.softCap != 0) {
      float[] capped = Scratch.get().row(2, n);
      SoftCapKernel.capped(row, capped, 1 / settings.softCap, settings.softCap, n);
      System.arraycopy(capped, 0, row, 0, n);
    }
  }

  /** Applies dropout, if there is any, to a single row. */
  private void drop(float[] row, int number, int[] columns, int n) {
    if (dropout != null) {
      Scratch scratch = Scratch.get();
      int[] bits = scratch.ints(Scratch.Slot.LEAF_1, n);
      float[] mask = scratch.floats(Scratch.Slot.TILE, n);
      DropoutMask.bits(dropout.rowKeys[number], columns, dropout.threshold, dropout.kept, bits, n);
      scratch.fromBits(bits, mask, n);
      Tiles.multiply(row, mask, n);
    }
  }

  private int[] columnKeys(Work work) {
    int[] columns = Scratch.get().ints(Scratch.Slot.TILE, work.tile.width());
    byColumn(work.tile, dropout.columnKeys, work.sequence * settings.keys(), columns);
    return columns;
  }

  /** Copies what belongs to the keys of a sequence, which begins at {@code start}, by column. */
  private static void byColumn(VisibleKeys.Tile tile, int[] byKey, int start, int[] columns) {
    for (VisibleKeys.Run run : tile.runs()) {
      System.arraycopy(byKey, start + run.first(), columns, run.column(), run.count());
    }
  }

  /**
   * Gradients of queries, of selected keys and values, and of the distances' scores.
   *
   * @param rowStatistics as {@link #forward} computed them
   * @param dContext gradient of the contexts
   * @param dTable null if there are no scores of distances
   */
  public void backward(
      INDArray query,
      Tokens key,
      Tokens value,
      INDArray rowStatistics,
      INDArray dContext,
      INDArray dQuery,
      INDArray dKey,
      INDArray dValue,
      INDArray dTable) {
    FloatBuffer statistics = Memory.floats(rowStatistics);
    double[][] byKind = dTable == null ? null : new double[settings.batch * settings.heads][];
    Gradients gradients = new Gradients(dContext, dQuery, dKey, dValue, byKind);
    try {
      // One thread adds up the gradients of a head's keys: the order of the sum is fixed.
      Workers.run(
          settings.batch * settings.keyValueHeads,
          i -> backward(i, query, key, value, statistics, gradients));
    } finally {
      Reference.reachabilityFence(List.of(query, rowStatistics, dContext, dQuery, dKey, dValue));
      Reference.reachabilityFence(key);
      Reference.reachabilityFence(value);
    }
    if (dTable != null) {
      addUp(byKind, dTable);
    }
  }

  /** The sums over sequences, in their order. */
  private void addUp(double[][] byKind, INDArray dTable) {
    FloatBuffer table = Memory.floats(dTable);
    for (int i = 0; i < bias.table.length; i++) {
      double sum = 0;
      for (int b = 0; b < settings.batch; b++) {
        double[] kinds = byKind[b * settings.heads + i % settings.heads];
        sum += kinds == null ? 0 : kinds[i / settings.heads];
      }
      table.put(i, (float) sum);
    }
  }

  /**
   * @param byKind of the distances' scores, by sequence and head, then by kind; null for none
   */
  private record Gradients(
      INDArray context, INDArray query, INDArray key, INDArray value, double[][] byKind) {}

  private void backward(
      int number,
      INDArray query,
      Tokens key,
      Tokens value,
      FloatBuffer statistics,
      Gradients gradients) {
    int sequence = number / settings.keyValueHeads;
    int group = settings.heads / settings.keyValueHeads;
    int head = number % settings.keyValueHeads * group;
    clear(gradients.key, sequence, head);
    clear(gradients.value, sequence, head);
    for (int h = head; h < head + group; h++) {
      for (VisibleKeys.Tile tile : tiles.get(sequence)) {
        backward(new Work(sequence, h, tile), query, key, value, statistics, gradients);
      }
    }
  }

  private void clear(INDArray rows, int sequence, int head) {
    FloatBuffer floats = Memory.floats(rows);
    float[] zeros = new float[settings.headSize];
    int group = head / (settings.heads / settings.keyValueHeads);
    for (int key = 0; key < settings.selected; key++) {
      int row = sequence * settings.selected + key;
      floats.put(row * keyWidth + group * settings.headSize, zeros);
    }
  }

  private void backward(
      Work work,
      INDArray query,
      Tokens key,
      Tokens value,
      FloatBuffer statistics,
      Gradients gradients) {
    VisibleKeys.Tile tile = work.tile;
    int floats = tile.count() * tile.width();
    FloatPointer weights = Scratch.get().offHeap(0, floats);
    FloatPointer dScores = Scratch.get().offHeap(1, floats);
    products(work, query, key, settings.scale, weights);
    products(work, gradients.context, value, 1, dScores);
    if (!productsOnly) {
      scoreGradients(work, weights.asBuffer(), dScores.asBuffer(), statistics, gradients.byKind);
    }
    for (VisibleKeys.Run run : tile.runs()) {
      blas.sgemm(
          false,
          false,
          tile.count(),
          settings.headSize,
          run.count(),
          settings.scale,
          column(dScores, run),
          tile.width(),
          ofKey(key, work.sequence, work.head, run.first()),
          keyWidth,
          run.column() == 0 ? 0 : 1,
          ofQuery(gradients.query, work.sequence, work.head, tile.first()),
          width);
      if (run.first() < settings.selected) {
        addToKeys(work, run, 1, weights, gradients.context, gradients.value);
        addToKeys(work, run, settings.scale, dScores, query, gradients.key);
      }
    }
  }

  /** Adds {@code factor * tile^T rows} to the gradients of a run of selected keys. */
  private void addToKeys(
      Work work,
      VisibleKeys.Run run,
      float factor,
      FloatPointer tile,
      INDArray rows,
      INDArray gradient) {
    blas.sgemm(
        true,
        false,
        run.count(),
        settings.headSize,
        work.tile.count(),
        factor,
        column(tile, run),
        work.tile.width(),
        ofQuery(rows, work.sequence, work.head, work.tile.first()),
        width,
        1,
        ofKey(new Tokens(gradient, null), work.sequence, work.head, run.first()),
        keyWidth);
  }

  /** Scores to weights after dropout, and the weights' gradients to those of the scores. */
  private void scoreGradients(
      Work work,
      FloatBuffer scores,
      FloatBuffer dWeights,
      FloatBuffer statistics,
      double[][] byKind) {
    VisibleKeys.Tile tile = work.tile;
    int n = tile.width();
    int group = groupRows(n);
    Scratch scratch = Scratch.get();
    float[] rows = scratch.row(0, group * n);
    float[] gradients = scratch.row(1, group * n);
    float[] slope = scratch.row(3, settings.softCap == 0 ? 0 : n);
    int[] columns = dropout == null ? null : columnKeys(work);
    Distances distances = bias == null ? null : new Distances(work);
    for (int row = 0; row < tile.count(); row += group) {
      int count = Math.min(group, tile.count() - row);
      scores.get(row * n, rows, 0, count * n);
      dWeights.get(row * n, gradients, 0, count * n);
      if (bias != null) {
        distances.addScores(row, count, rows);
      }
      cap(rows, n);
      if (settings.softCap != 0) {
        SoftCapKernel.slope(rows, slope, settings.softCap, n);
      }
      for (int r = 0; r < count; r++) {
        int at = r * n;
        tile.forEachHidden(
            tile.first() + row + r, (from, to) -> Arrays.fill(rows, at + from, at + to, MASKED));
        Tiles.add(rows, -statistics.get(2 * number(work, tile.first() + row + r)), at, at + n);
      }
      Exp.inPlace(rows, count * n);
      for (int r = 0; r < count; r++) {
        int number = number(work, tile.first() + row + r);
        Tiles.multiply(rows, statistics.get(2 * number + 1), r * n, r * n + n);
        drop(gradients, number, columns, n);
        float along = Sums.products(rows, gradients, r * n, r * n + n);
        center(gradients, rows, along, r * n, r * n + n);
        drop(rows, number, columns, n);
      }
      if (settings.softCap != 0) {
        Tiles.multiply(gradients, slope, n);
      }
      if (bias != null) {
        distances.addGradients(row, count, gradients);
      }
      scores.put(row * n, rows, 0, count * n);
      dWeights.put(row * n, gradients, 0, count * n);
    }
    if (byKind != null) {
      distances.addByKind(byKind);
    }
  }

  /** The distances between queries and keys of a tile. */
  private final class Distances {
    private final Work work;
    private final int[] keys; // places by column
    private final float[] scores = new float[bias.kinds.length]; // by distance
    private final float[] gradients = new float[bias.kinds.length];

    Distances(Work work) {
      this.work = work;
      keys = new int[work.tile.width()];
      byColumn(work.tile, places.get(work.sequence), 0, keys);
      int first = bias.places[work.sequence * settings.queries + work.tile.first()];
      for (int column = 0; column < keys.length; column++) {
        keys[column] = keys[column] < 0 ? first : keys[column]; // padding, seen by padding only
      }
      for (int i = 0; i < scores.length; i++) {
        scores[i] = bias.table[bias.kinds[i] * settings.heads + work.head];
      }
    }

    /** The index of the distance between a row's query and place 0. */
    private int origin(int row) {
      int query = work.sequence * settings.queries + work.tile.first() + row;
      return bias.places[query] + scores.length / 2;
    }

    void addScores(int row, int count, float[] rows) {
      int n = keys.length;
      for (int r = 0; r < count; r++) {
        int origin = origin(row + r);
        for (int column = 0; column < n; column++) {
          rows[r * n + column] += scores[origin - keys[column]];
        }
      }
    }

    void addGradients(int row, int count, float[] rows) {
      int n = keys.length;
      for (int r = 0; r < count; r++) {
        int origin = origin(row + r);
        for (int column = 0; column < n; column++) {
          gradients[origin - keys[column]] += rows[r * n + column];
        }
      }
    }

    /** Adds the gradients to those of the tile's sequence and head. */
    void addByKind(double[][] byKind) {
      int number = work.sequence * settings.heads + work.head;
      if (byKind[number] == null) {
        byKind[number] = new double[bias.table.length / settings.heads];
      }
      for (int i = 0; i < gradients.length; i++) {
        byKind[number][bias.kinds[i]] += gradients[i];
      }
    }
  }

  private static void center(float[] gradient, float[] weight, float along, int from, int to) {
    for (int i = from; i < to; i++) {
      gradient[i] = weight[i] * (gradient[i] - along);
    }
  }
}

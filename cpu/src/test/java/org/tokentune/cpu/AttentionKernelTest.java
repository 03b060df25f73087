package org.tokentune.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.kernels.AttentionKernel;
import org.tokentune.ops.internal.kernels.AttentionKernel.Settings;
import org.tokentune.ops.internal.kernels.AttentionKernel.Tokens;
import org.tokentune.ops.internal.kernels.Blas;
import org.tokentune.ops.internal.kernels.DropoutMask;

/** Attention in tiles against attention in double precision, pair by pair. */
class AttentionKernelTest {

  private static final int MAX = Integer.MAX_VALUE;

  /** Arrays of one case, and results in double precision. */
  private static final class Case {
    final Settings settings;
    final int[] first;
    final int[] last;
    final int[] places; // by sequence and key, selected ones first
    final int[] own; // places of the queries
    final double[] table; // scores of distances: [kinds, heads]; empty for none
    final int[] kinds;
    final boolean[][] kept; // dropout: by (sequence, head, query), key
    final double[] q;
    final double[] k;
    final double[] v;
    final double[] dContext;
    double[] context;
    double[] dQ;
    double[] dK; // of all keys
    double[] dV;
    double[] dTable;
    final double rate;
    boolean single; // whether results are rounded to float after every operation

    Case(
        Settings settings,
        double spread,
        boolean causal,
        int window,
        int padded,
        double rate,
        int kindsOfDistances) {
      this.settings = settings;
      this.rate = rate;
      Random random = new Random(11);
      int keys = settings.selected() + settings.frozen();
      first = new int[settings.batch() * settings.queries()];
      last = new int[first.length];
      own = new int[first.length];
      places = new int[settings.batch() * keys];
      for (int b = 0; b < settings.batch(); b++) {
        int[] order = random.ints(keys * 20L, 0, keys).distinct().limit(keys).toArray();
        for (int i = 0; i < keys; i++) { // all numbers, even those that were not drawn
          int number = i;
          if (Arrays.stream(order).noneMatch(o -> o == number)) {
            order = Arrays.copyOf(order, order.length + 1);
            order[order.length - 1] = i;
          }
        }
        Arrays.sort(order, 0, settings.selected());
        Arrays.sort(order, settings.selected(), keys);
        for (int i = 0; i < keys; i++) {
          boolean padding = order[i] >= keys - padded && b == 0;
          places[b * keys + i] = padding ? -1 : b * keys + order[i];
        }
        for (int i = 0; i < settings.queries(); i++) {
          int at = b * settings.queries() + i;
          own[at] = b * keys + order[i % settings.selected()];
          first[at] = window == 0 ? 0 : own[at] - window + 1;
          last[at] = causal ? own[at] : window == 0 ? MAX : own[at] + window - 1;
        }
      }
      q = gaussians(random, first.length * settings.heads() * settings.headSize(), spread);
      k = gaussians(random, places.length * settings.keyValueHeads() * settings.headSize(), spread);
      v = gaussians(random, k.length, spread);
      dContext = gaussians(random, q.length, 1);
      table = gaussians(random, kindsOfDistances * settings.heads(), spread);
      kinds = random.ints(2 * keys - 1, 0, Math.max(1, kindsOfDistances)).toArray();
      kept = new boolean[first.length * settings.heads()][keys];
      for (boolean[] row : kept) {
        Arrays.fill(row, true);
      }
    }

    private static double[] gaussians(Random random, int n, double spread) {
      double[] values = new double[n];
      Arrays.setAll(values, i -> (float) (random.nextGaussian() * spread));
      return values;
    }

    int keys() {
      return settings.selected() + settings.frozen();
    }

    /** The place in the table of the score of a query, a key and a head. */
    private int distance(int row, int key, int head) {
      int distance = own[row] - Math.max(0, places[key]);
      return kinds[distance + kinds.length / 2] * settings.heads() + head;
    }

    private double r(double value) {
      return single ? (float) value : value;
    }

    void reference() {
      int d = settings.headSize();
      int keys = keys();
      int width = settings.heads() * d;
      int keyWidth = settings.keyValueHeads() * d;
      context = new double[q.length];
      dQ = new double[q.length];
      dK = new double[k.length];
      dV = new double[v.length];
      dTable = new double[table.length];
      double[] weights = new double[keys];
      double[] dScores = new double[keys];
      double[] capSlopes = new double[keys];
      for (int b = 0; b < settings.batch(); b++) {
        for (int h = 0; h < settings.heads(); h++) {
          int g = h / (settings.heads() / settings.keyValueHeads());
          for (int i = 0; i < settings.queries(); i++) {
            int row = b * settings.queries() + i;
            boolean[] keep = kept[(b * settings.heads() + h) * settings.queries() + i];
            boolean blind = true;
            for (int j = 0; j < keys; j++) {
              blind &= !visible(row, places[b * keys + j]);
            }
            double max = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < keys; j++) {
              double dot = 0;
              for (int c = 0; c < d; c++) {
                dot =
                    r(dot + q[row * width + h * d + c] * k[(b * keys + j) * keyWidth + g * d + c]);
              }
              double score = r(dot * settings.scale());
              if (table.length > 0 && visible(row, places[b * keys + j])) {
                score = r(score + table[distance(row, b * keys + j, h)]);
              }
              capSlopes[j] = 1;
              if (settings.softCap() != 0) {
                double tanh = Math.tanh(score / settings.softCap());
                score = settings.softCap() * tanh;
                capSlopes[j] = 1 - tanh * tanh;
              }
              weights[j] =
                  blind || visible(row, places[b * keys + j]) ? score : Double.NEGATIVE_INFINITY;
              max = Math.max(max, weights[j]);
            }
            double sum = 0;
            for (int j = 0; j < keys; j++) {
              weights[j] = r(Math.exp(r(weights[j] - max)));
              sum = r(sum + weights[j]);
            }
            double along = 0;
            for (int j = 0; j < keys; j++) {
              weights[j] = r(weights[j] / sum);
              double factor = keep[j] ? 1 / (1 - rate) : 0;
              double dWeight = 0;
              for (int c = 0; c < d; c++) {
                int at = row * width + h * d + c;
                int key = (b * keys + j) * keyWidth + g * d + c;
                context[at] = r(context[at] + weights[j] * factor * v[key]);
                dV[key] = r(dV[key] + weights[j] * factor * dContext[at]);
                dWeight = r(dWeight + dContext[at] * v[key] * factor);
              }
              dScores[j] = dWeight;
              along = r(along + weights[j] * dWeight);
            }
            for (int j = 0; j < keys; j++) {
              double dScore = r(weights[j] * r(dScores[j] - along) * capSlopes[j]);
              double dDot = r(dScore * settings.scale());
              if (table.length > 0 && visible(row, places[b * keys + j])) {
                dTable[distance(row, b * keys + j, h)] += dScore;
              }
              for (int c = 0; c < d; c++) {
                int at = row * width + h * d + c;
                int key = (b * keys + j) * keyWidth + g * d + c;
                dQ[at] = r(dQ[at] + dDot * k[key]);
                dK[key] = r(dK[key] + dDot * q[at]);
              }
            }
          }
        }
      }
    }

    private boolean visible(int row, int place) {
      return place >= 0 && place >= first[row] && place <= last[row];
    }

    /** Rows of selected (or frozen) tokens. */
    INDArray rows(double[] all, boolean isSelected) {
      int width = settings.keyValueHeads() * settings.headSize();
      int count = isSelected ? settings.selected() : settings.frozen();
      float[] rows = new float[settings.batch() * count * width];
      for (int b = 0; b < settings.batch(); b++) {
        int from = (b * keys() + (isSelected ? 0 : settings.selected())) * width;
        for (int i = 0; i < count * width; i++) {
          rows[b * count * width + i] = (float) all[from + i];
        }
      }
      return Nd4j.createFromArray(rows).reshape(-1, width);
    }

    int[] places(boolean isSelected) {
      int count = isSelected ? settings.selected() : settings.frozen();
      int[] some = new int[settings.batch() * count];
      for (int b = 0; b < settings.batch(); b++) {
        int from = b * keys() + (isSelected ? 0 : settings.selected());
        System.arraycopy(places, from, some, b * count, count);
      }
      return some;
    }
  }

  private static INDArray floats(double[] values, int width) {
    return Nd4j.createFromArray(values).castTo(DataType.FLOAT).reshape(-1, width);
  }

  /** Greatest difference, relative to the greatest value above 1. */
  private static double error(INDArray got, INDArray expected) {
    double scale = Math.max(1, expected.amaxNumber().doubleValue());
    double difference = got.sub(expected).amaxNumber().doubleValue();
    assertTrue(Double.isFinite(got.sumNumber().doubleValue()), "finite");
    return difference / scale;
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    // name, batch, queries, selected, frozen, heads, kv, size, cap, causal, window, padded, rate,
    // kinds of distances
    "all tokens,          2,  37,  37,   0, 4, 4, 16,  0, false,  0, 5, 0,  0",
    "selected,            2,  20,  20,  17, 4, 4, 16,  0, false,  0, 5, 0,  0",
    "frozen queries,      2,  17,  20,  17, 4, 4,  8,  0, true,   0, 5, 0,  0",
    "one query,           3,   1,  12,  20, 3, 3,  8,  0, false,  0, 4, 0,  0",
    "causal,              1, 300, 300,   0, 2, 2, 64,  0, true,   0, 0, 0,  0",
    "causal selected,     1, 154, 154, 358, 2, 2, 64,  0, true,   0, 7, 0,  0",
    "grouped,             2,  33,  33,  31, 8, 2, 16,  0, true,   0, 3, 0,  0",
    "window,              2,  60,  60,  68, 2, 2, 16,  0, true,  16, 0, 0,  0",
    "window both sides,   2,  60,  60,  68, 2, 2, 16,  0, false, 16, 9, 0,  0",
    "soft cap,            2,  33,  33,  31, 4, 2, 16, 30, true,   0, 3, 0,  0",
    "dropout,             2,  33,  33,  31, 4, 2, 16,  0, false,  0, 3, 0.3,  0",
    "cap and dropout,     2,  33,  33,  31, 4, 2, 16, 30, true,   8, 3, 0.3,  0",
    "distances,           2,  37,  37,   0, 4, 4, 16,  0, false,  0, 5, 0,   8",
    "distances selected,  3, 150, 150,  80, 3, 3, 16,  0, false,  0, 4, 0.3, 9",
    "distances and all,   2,  60,  60,  68, 4, 2, 16, 30, true,  16, 3, 0.1, 32",
    "many keys,           1,  40,  40,9000, 1, 1,  8,  0, false,  0, 3, 0,  0",
  })
  void equalsDoublePrecision(
      String name,
      int batch,
      int queries,
      int selected,
      int frozen,
      int heads,
      int keyValueHeads,
      int size,
      float cap,
      boolean causal,
      int window,
      int padded,
      double rate,
      int kinds) {
    Settings settings =
        new Settings(
            batch,
            queries,
            selected,
            frozen,
            heads,
            keyValueHeads,
            size,
            (float) (1 / Math.sqrt(size)),
            cap);
    double worst = worst(new Case(settings, 1, causal, window, padded, rate, kinds));
    System.out.printf(Locale.ROOT, "attention, %s: within %.1e of double precision%n", name, worst);
    assertTrue(worst < 1e-5, name + ": " + worst);
  }

  /**
   * Scores of some hundreds, whose rounding to float alone changes weights by 1e-4: no worse than
   * attention pair by pair in single precision.
   */
  @Test
  void largeScores() {
    Settings settings = new Settings(1, 64, 64, 64, 2, 2, 16, 0.25f, 0);
    double worst = worst(new Case(settings, 30, true, 0, 0, 0, 0));
    Case exact = new Case(settings, 30, true, 0, 0, 0, 0);
    exact.reference();
    Case single = new Case(settings, 30, true, 0, 0, 0, 0);
    single.single = true;
    single.reference();
    int width = settings.heads() * settings.headSize();
    double naive = 0;
    double[][] pairs = {
      single.context, exact.context, single.dQ, exact.dQ, single.dK, exact.dK, single.dV, exact.dV
    };
    for (int i = 0; i < pairs.length; i += 2) {
      naive = Math.max(naive, error(floats(pairs[i], width), floats(pairs[i + 1], width)));
    }
    System.out.printf(
        Locale.ROOT, "attention, inputs times 30: within %.1e, naively %.1e%n", worst, naive);
    assertTrue(worst <= 1.01 * naive, worst + " against " + naive);
  }

  private static double worst(Case given) {
    Settings settings = given.settings;
    int width = settings.heads() * settings.headSize();
    int keyWidth = settings.keyValueHeads() * settings.headSize();
    AttentionKernel.WeightDropout dropout = null;
    if (given.rate > 0) {
      int[] rows = new int[given.kept.length];
      int[] columns = new int[given.places.length];
      Arrays.setAll(rows, i -> i);
      Arrays.setAll(columns, i -> i);
      DropoutMask.keys(rows, 5, 1);
      DropoutMask.keys(columns, 5, ~1);
      int threshold = DropoutMask.threshold(given.rate);
      int scale = Float.floatToRawIntBits((float) (1 / (1 - given.rate)));
      for (int row = 0; row < rows.length; row++) {
        int b = row / (settings.heads() * settings.queries());
        int[] own = Arrays.copyOfRange(columns, b * given.keys(), (b + 1) * given.keys());
        int[] bits = new int[own.length];
        DropoutMask.bits(rows[row], own, threshold, scale, bits, own.length);
        for (int j = 0; j < bits.length; j++) {
          given.kept[row][j] = bits[j] != 0;
        }
      }
      dropout = new AttentionKernel.WeightDropout(rows, columns, threshold, scale);
    }
    given.reference();
    boolean biased = given.table.length > 0;
    AttentionKernel kernel =
        new AttentionKernel(
            Blas.provided().orElseThrow(),
            settings,
            given.first,
            given.last,
            given.places(true),
            given.places(false),
            biased
                ? new AttentionKernel.DistanceBias(
                    floats(given.table, settings.heads()).data().asFloat(), given.kinds, given.own)
                : null,
            dropout,
            false);
    boolean some = settings.frozen() > 0;
    Tokens keys = new Tokens(given.rows(given.k, true), some ? given.rows(given.k, false) : null);
    Tokens values = new Tokens(given.rows(given.v, true), some ? given.rows(given.v, false) : null);
    INDArray query = floats(given.q, width);
    INDArray context = Nd4j.valueArrayOf(query.shape(), Double.NaN, DataType.FLOAT);
    INDArray sums =
        Nd4j.create(DataType.FLOAT, settings.batch(), settings.heads(), settings.queries(), 2);
    kernel.forward(query, keys, values, context, sums);
    INDArray dQuery = Nd4j.valueArrayOf(query.shape(), Double.NaN, DataType.FLOAT);
    long[] shape = {settings.batch() * (long) settings.selected(), keyWidth};
    INDArray dKey = Nd4j.valueArrayOf(shape, Double.NaN, DataType.FLOAT);
    INDArray dValue = Nd4j.valueArrayOf(shape, Double.NaN, DataType.FLOAT);
    INDArray dContext = floats(given.dContext, width);
    INDArray dTable =
        biased
            ? Nd4j.valueArrayOf(
                new long[] {given.table.length / settings.heads(), settings.heads()},
                Double.NaN,
                DataType.FLOAT)
            : null;
    kernel.backward(query, keys, values, sums, dContext, dQuery, dKey, dValue, dTable);
    INDArray again = dKey.dup();
    INDArray tableAgain = biased ? dTable.dup() : null;
    kernel.backward(query, keys, values, sums, dContext, dQuery, dKey, dValue, dTable);
    assertEquals(0, again.sub(dKey).amaxNumber().doubleValue(), "a second run has the same bits");
    if (biased) {
      assertEquals(tableAgain, dTable, "a second run has the same bits");
    }
    double[] errors = {
      biased ? error(dTable, floats(given.dTable, settings.heads())) : 0,
      error(context, floats(given.context, width)),
      error(dQuery, floats(given.dQ, width)),
      error(dKey, given.rows(given.dK, true)),
      error(dValue, given.rows(given.dV, true))
    };
    return Arrays.stream(errors).max().orElseThrow();
  }
}

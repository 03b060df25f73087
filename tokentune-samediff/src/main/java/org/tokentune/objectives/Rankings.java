package org.tokentune.objectives;

import static org.tokentune.Arguments.required;

import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Scores of ranked lists of texts, as sentence-transformers' {@code InformationRetrievalEvaluator}
 * computes them: means over the queries that have relevant texts.
 */
public final class Rankings {

  /** What is scored of retrieval. */
  public static final Set<Metric> METRICS =
      Set.of(
          Metric.ACCURACY_AT_1,
          Metric.ACCURACY_AT_5,
          Metric.ACCURACY_AT_10,
          Metric.PRECISION_AT_1,
          Metric.PRECISION_AT_5,
          Metric.PRECISION_AT_10,
          Metric.RECALL_AT_1,
          Metric.RECALL_AT_5,
          Metric.RECALL_AT_10,
          Metric.MRR_AT_10,
          Metric.NDCG_AT_10,
          Metric.MAP_AT_100);

  /** Texts of a list that are read, at most. */
  public static final int DEPTH = 100;

  private static final int TEN = 10;

  private final Map<Metric, Double> sums = new EnumMap<>(Metric.class);
  private int queries;

  /**
   * Adds a query.
   *
   * @param ranked texts, the best first, {@value #DEPTH} of them or as many as there are; one that
   *     is there again counts as found only once
   * @param relevant texts; a query without any is left out
   */
  public <T> void add(List<T> ranked, Set<T> relevant) {
    required(ranked, "ranked");
    required(relevant, "relevant");

    boolean[] hits = new boolean[ranked.size()];
    Set<T> seen = new HashSet<>();
    for (int i = 0; i < hits.length; i++) {
      hits[i] = relevant.contains(ranked.get(i)) && seen.add(ranked.get(i));
    }
    add(hits, relevant.size());
  }

  /**
   * Adds a query.
   *
   * @param hits whether each text of the ranked list is relevant, the best first
   * @param relevant number of relevant texts, in the list or not; with none it is left out
   */
  public void add(boolean[] hits, int relevant) {
    required(hits, "hits");

    if (relevant == 0) {
      return;
    }
    queries++;
    for (int at : new int[] {1, 5, TEN}) {
      int found = found(hits, at);
      sum("ACCURACY_AT_" + at, found > 0 ? 1 : 0);
      sum("PRECISION_AT_" + at, (double) found / at);
      sum("RECALL_AT_" + at, (double) found / relevant);
    }
    double first = 0;
    double gain = 0;
    double precisions = 0;
    int found = 0;
    for (int i = 0; i < Math.min(hits.length, DEPTH); i++) {
      if (hits[i]) {
        found++;
        precisions += (double) found / (i + 1);
        if (i < TEN) {
          first = first == 0 ? 1.0 / (i + 1) : first;
          gain += discount(i);
        }
      }
    }
    double ideal = 0;
    for (int i = 0; i < Math.min(relevant, TEN); i++) {
      ideal += discount(i);
    }
    sums.merge(Metric.MRR_AT_10, first, Double::sum);
    sums.merge(Metric.NDCG_AT_10, gain / ideal, Double::sum);
    sums.merge(Metric.MAP_AT_100, precisions / Math.min(DEPTH, relevant), Double::sum);
  }

  private void sum(String metric, double value) {
    sums.merge(Metric.valueOf(metric), value, Double::sum);
  }

  private static int found(boolean[] hits, int at) {
    int found = 0;
    for (int i = 0; i < Math.min(hits.length, at); i++) {
      found += hits[i] ? 1 : 0;
    }
    return found;
  }

  private static double discount(int rank) {
    return 1 / (Math.log(rank + 2) / Math.log(2));
  }

  /** The number of queries with relevant texts. */
  public int queries() {
    return queries;
  }

  /** Means over the queries; NaN if there are none. */
  public Map<Metric, Double> metrics() {
    Map<Metric, Double> means = new EnumMap<>(Metric.class);
    METRICS.forEach(metric -> means.put(metric, sums.getOrDefault(metric, 0.0) / queries));
    return means;
  }
}

package org.tokentune.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tokentune.datasets.Example;
import org.tokentune.text.Prediction;

/**
 * The texts of each query, the most relevant first; queries in the order in which they are given.
 *
 * @param order numbers of the rows
 * @param ranks of these rows among those of their query, from 1
 */
record RankedPairs(List<Integer> order, List<Integer> ranks) {

  static RankedPairs of(List<Example> rows, List<Prediction> predictions) {
    Map<String, List<Integer>> queries = new LinkedHashMap<>();
    for (int i = 0; i < rows.size(); i++) {
      queries.computeIfAbsent(rows.get(i).text(), query -> new ArrayList<>()).add(i);
    }
    List<Integer> order = new ArrayList<>();
    List<Integer> ranks = new ArrayList<>();
    for (List<Integer> texts : queries.values()) {
      texts.sort(Comparator.comparingDouble(i -> -score(predictions.get(i))));
      for (int rank = 1; rank <= texts.size(); rank++) {
        order.add(texts.get(rank - 1));
        ranks.add(rank);
      }
    }
    return new RankedPairs(order, ranks);
  }

  private static double score(Prediction prediction) {
    return prediction.scores().values().iterator().next();
  }
}

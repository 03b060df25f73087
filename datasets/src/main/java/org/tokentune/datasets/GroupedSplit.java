package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.objectives.Objective;

/**
 * Divides rows without splitting those that belong together: rows with equal texts, and those of a
 * group, as in scikit-learn's {@code GroupShuffleSplit}. A share can have as large a part of every
 * label as of all rows, as with {@code stratify} there.
 *
 * @param task of the labels. If it has classes, each label is among the training rows
 * @param stratify whether labels are shared out evenly. The label of a group is that of its first
 *     row
 * @param groups the group of each row, in their order; null: none
 */
public record GroupedSplit(Objective task, boolean stratify, List<String> groups) {

  public GroupedSplit {
    required(task, "task");
    groups = groups == null ? null : List.copyOf(groups);
  }

  /**
   * Draws a share to validate on, using the seed; the rest is for training, and nothing for test.
   * Where a label would not be trained on, all rows that belong together with one of its rows are
   * moved to the training rows.
   *
   * @throws BadInputException if the share is not in [0, 1), or nothing would be left to train or
   *     to validate on
   */
  public DataSplit of(List<Example> rows, double validation, long seed) {
    required(rows, "rows");

    Split.check(validation);
    List<List<Example>> units = units(rows);
    Collections.shuffle(units, new Random(seed));
    List<Example> train = new ArrayList<>();
    List<List<Example>> validate = new ArrayList<>();
    double wanted = 0; // what a stratum was given too little or too much counts in the next one
    for (List<List<Example>> stratum : strata(units)) {
      wanted += validation * stratum.stream().mapToInt(List::size).sum();
      for (List<Example> unit : stratum) {
        // A unit is taken if the share is then nearer to what is wanted than without it.
        if (2 * wanted >= unit.size()) {
          validate.add(unit);
          wanted -= unit.size();
        } else {
          train.addAll(unit);
        }
      }
    }
    if (train.isEmpty() || (validation > 0 && validate.isEmpty())) {
      throw new BadDataException(
          "The %,d rows are %,d that belong together, too few for a validation share of %s; give more"
              + " rows, or a validation file.",
          rows.size(), units.size(), validation);
    }
    Collections.shuffle(train, new Random(seed));
    MissingLabels missing = new MissingLabels(task, train);
    List<List<Example>> left = missing.leftOf(validate);
    return new DataSplit(
        missing.trained(flat(validate).size(), flat(left).size()), flat(left), List.of());
  }

  /**
   * Divides the rows into folds of about equal sizes, using the seed, as scikit-learn's {@code
   * StratifiedGroupKFold}: each unit of rows that belong together, the largest first, goes to the
   * fold that has least of its labels. A label may be in one fold alone.
   *
   * @return for each fold a split that tests on it, trains on the others, and validates on nothing
   * @throws BadInputException if there are fewer than 2 folds, or too few rows for them
   */
  public List<DataSplit> folds(List<Example> rows, int folds, long seed) {
    required(rows, "rows");

    List<List<Example>> parts = DataSplit.emptyFolds(folds);
    List<List<Example>> units = units(rows);
    Collections.shuffle(units, new Random(seed));
    units.sort(Comparator.comparingInt((List<Example> unit) -> unit.size()).reversed());
    Map<String, Integer> all = counts(rows);
    List<Map<String, Integer>> counts =
        parts.stream().map(part -> (Map<String, Integer>) new HashMap<String, Integer>()).toList();
    for (List<Example> unit : units) {
      Map<String, Integer> own = counts(unit);
      int fold =
          IntStream.range(0, folds)
              .boxed()
              .min(
                  Comparator.comparingDouble((Integer i) -> overlap(own, counts.get(i), all))
                      .thenComparing(i -> parts.get(i).size()))
              .orElseThrow();
      parts.get(fold).addAll(unit);
      own.forEach((label, count) -> counts.get(fold).merge(label, count, Integer::sum));
    }
    return DataSplit.ofFolds(parts);
  }

  /** Rows by label; if labels do not count, all have the same. */
  private Map<String, Integer> counts(List<Example> rows) {
    Map<String, Integer> counts = new HashMap<>();
    for (Example row : rows) {
      List<String> labels =
          stratify && task.areClasses() ? Labels.split(task, row) : List.of("all");
      labels.forEach(label -> counts.merge(label, 1, Integer::sum));
    }
    return counts;
  }

  /** How much a fold has already of the labels of a unit. */
  private static double overlap(
      Map<String, Integer> unit, Map<String, Integer> fold, Map<String, Integer> all) {
    return unit.entrySet().stream()
        .mapToDouble(
            label ->
                (double) label.getValue()
                    * fold.getOrDefault(label.getKey(), 0)
                    / all.get(label.getKey()))
        .sum();
  }

  private static List<Example> flat(List<List<Example>> units) {
    return units.stream().flatMap(List::stream).toList();
  }

  /** Rows that belong together, in the order of their first ones. */
  private List<List<Example>> units(List<Example> rows) {
    if (groups != null && groups.size() != rows.size()) {
      throw new BadDataException(
          "There are %,d rows but %,d groups; give one for each row.", rows.size(), groups.size());
    }
    int[] parents = new int[rows.size()];
    Map<List<String>, Integer> texts = new HashMap<>();
    Map<String, Integer> named = new HashMap<>();
    int duplicates = 0;
    for (int i = 0; i < parents.length; i++) {
      parents[i] = i;
      Integer same = texts.putIfAbsent(texts(rows.get(i)), i);
      if (same != null) {
        duplicates++;
        join(parents, same, i);
      }
      Integer first = groups == null ? null : named.putIfAbsent(groups.get(i), i);
      if (first != null) {
        join(parents, first, i);
      }
    }
    if (duplicates > 0) {
      Warnings.note(
          "%,d rows have the texts of earlier ones; equal texts are in the same part.", duplicates);
    }
    Map<Integer, List<Example>> units = new LinkedHashMap<>();
    for (int i = 0; i < parents.length; i++) {
      units.computeIfAbsent(root(parents, i), key -> new ArrayList<>()).add(rows.get(i));
    }
    return new ArrayList<>(units.values());
  }

  private static List<String> texts(Example row) {
    return row.pair() == null ? List.of(row.text()) : List.of(row.text(), row.pair());
  }

  private static void join(int[] parents, int one, int other) {
    parents[root(parents, other)] = root(parents, one);
  }

  private static int root(int[] parents, int row) {
    int root = row;
    while (parents[root] != root) {
      parents[root] = parents[parents[root]];
      root = parents[root];
    }
    return root;
  }

  /** Units by the labels of their first rows. */
  private Collection<List<List<Example>>> strata(List<List<Example>> units) {
    if (!stratify || !task.areClasses()) {
      return List.of(units);
    }
    Map<List<String>, List<List<Example>>> strata = new LinkedHashMap<>();
    for (List<Example> unit : units) {
      List<String> labels = new ArrayList<>(Labels.split(task, unit.get(0)));
      Collections.sort(labels);
      strata.computeIfAbsent(labels, key -> new ArrayList<>()).add(unit);
    }
    return strata.values();
  }
}

package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.objectives.Objective;

/**
 * Draws a validation share without splitting rows that belong together: those with equal texts, and
 * those of a group, as in scikit-learn's {@code GroupShuffleSplit}. The share can have as large a
 * part of every label as of all rows, as with {@code stratify} there.
 *
 * @param stratify the task whose labels are shared out evenly; null: they are not. The label of a
 *     group is that of its first row
 * @param groups the group of each row, in their order; null: none
 */
public record GroupedSplit(Objective stratify, List<String> groups) {

  /**
   * Draws the share, using the seed; the rest is for training, and nothing for test.
   *
   * @throws BadInputException if the share is not in [0, 1), or nothing would be left to train on
   */
  public DataSplit of(List<Example> rows, double validation, long seed) {
    required(rows, "rows");

    Split.check(validation);
    if (groups != null && groups.size() != rows.size()) {
      throw new BadDataException(
          "There are %,d rows but %,d groups; give one for each row.", rows.size(), groups.size());
    }
    List<List<Example>> units = units(rows);
    Collections.shuffle(units, new Random(seed));
    List<Example> train = new ArrayList<>();
    List<Example> validate = new ArrayList<>();
    double wanted = 0; // what a stratum was given too little or too much counts in the next one
    for (List<List<Example>> stratum : strata(units)) {
      wanted += validation * stratum.stream().mapToInt(List::size).sum();
      for (List<Example> unit : stratum) {
        // A unit is taken if the share is then nearer to what is wanted than without it.
        boolean takes = 2 * wanted >= unit.size();
        (takes ? validate : train).addAll(unit);
        wanted -= takes ? unit.size() : 0;
      }
    }
    if (train.isEmpty() || (validation > 0 && validate.isEmpty())) {
      throw new BadDataException(
          "The %,d rows are %,d that belong together, too few for a validation share of %s; give more"
              + " rows, or a validation file.",
          rows.size(), units.size(), validation);
    }
    Collections.shuffle(train, new Random(seed));
    return new DataSplit(train, validate, List.of());
  }

  /** Rows that belong together, in the order of their first ones. */
  private List<List<Example>> units(List<Example> rows) {
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
    if (stratify == null || !stratify.areClasses()) {
      return List.of(units);
    }
    Map<List<String>, List<List<Example>>> strata = new LinkedHashMap<>();
    for (List<Example> unit : units) {
      List<String> labels = new ArrayList<>(Labels.split(stratify, unit.get(0)));
      Collections.sort(labels);
      strata.computeIfAbsent(labels, key -> new ArrayList<>()).add(unit);
    }
    return strata.values();
  }
}

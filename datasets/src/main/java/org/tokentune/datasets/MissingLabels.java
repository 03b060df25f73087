package org.tokentune.datasets;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.tokentune.BadDataException;
import org.tokentune.Warnings;
import org.tokentune.objectives.Objective;

/** Moves rows to the training rows until every label occurs there. */
final class MissingLabels {

  private final Objective task;
  private final List<Example> train;
  private final Set<String> known = new HashSet<>();
  private final Set<String> found = new TreeSet<>();
  private final List<Example> moved = new ArrayList<>();

  MissingLabels(Objective task, List<Example> train) {
    this.task = task;
    this.train = train;
    train.forEach(row -> known.addAll(labels(row)));
  }

  private List<String> labels(Example row) {
    return task.areClasses() ? Labels.split(task, row) : List.of();
  }

  /** The rows that are left when those with a label that is still missing are moved. */
  List<Example> leftOfRows(List<Example> rows) {
    return leftOf(rows.stream().map(List::of).toList()).stream().flatMap(List::stream).toList();
  }

  /** The same for rows that belong together, and so are moved together. */
  List<List<Example>> leftOf(List<List<Example>> units) {
    List<List<Example>> left = new ArrayList<>();
    for (List<Example> unit : units) {
      Set<String> missing = new TreeSet<>();
      unit.forEach(row -> missing.addAll(labels(row)));
      missing.removeAll(known);
      known.addAll(missing);
      found.addAll(missing);
      if (missing.isEmpty()) {
        left.add(unit);
      } else {
        moved.addAll(unit);
      }
    }
    return left;
  }

  /** The rows that were moved. */
  List<Example> moved() {
    return moved;
  }

  /**
   * The training rows, with those that were moved, which a note counts.
   *
   * @param share how many rows there were to validate on
   * @param left how many of them are left
   */
  List<Example> trained(int share, int left) {
    if (moved.isEmpty()) {
      return train;
    }
    if (left == 0 && share > 0) {
      throw new BadDataException(
          "All %,d rows of the validation share would have to be used for training, because no other row has the labels %s; give more rows with them, or a validation file.",
          share, Labels.shown(found));
    }
    Warnings.note(
        "%,d rows of the validation share are used for training instead, because no other row has the labels %s.",
        moved.size(), Labels.shown(found));
    List<Example> all = new ArrayList<>(train);
    all.addAll(moved);
    return all;
  }
}

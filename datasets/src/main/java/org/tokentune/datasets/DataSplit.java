package org.tokentune.datasets;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.objectives.Objective;

/** A data set's parts, without a row in common; a part may be empty. */
public record DataSplit(List<Example> train, List<Example> validation, List<Example> test) {

  public DataSplit {
    train = List.copyOf(train);
    validation = List.copyOf(validation);
    test = List.copyOf(test);
  }

  /**
   * Takes shares of the rows, drawn by the seed, for validation and test; the rest trains. Equal
   * rows stay equal rows: remove duplicates first where they would leak.
   *
   * @throws BadInputException if a share is not in [0, 1) or nothing would be left to train on
   */
  public static DataSplit of(List<Example> rows, double validation, double test, long seed) {
    int validationRows = count(rows, validation);
    int testRows = count(rows, test);
    int trainRows = rows.size() - validationRows - testRows;
    if (trainRows < 1) {
      throw new BadDataException(
          "Of %d rows none is left for training; give more, or take less for validation.",
          rows.size());
    }
    List<Example> drawn = new ArrayList<>(rows);
    Collections.shuffle(drawn, new Random(seed));
    return new DataSplit(
        drawn.subList(0, trainRows),
        drawn.subList(trainRows, trainRows + validationRows),
        drawn.subList(trainRows + validationRows, drawn.size()));
  }

  /** The same split with at most {@code rows} of the training rows, drawn by the seed. */
  public DataSplit withTrainLimit(int rows, long seed) {
    return new DataSplit(Split.limited(train, rows, seed), validation, test);
  }

  /**
   * The same split with every label among the training rows: rows of the other parts whose labels
   * no training row has move there, one by one, until none is missing. Where none is, nothing
   * moves.
   *
   * @throws BadInputException if no rows are left to validate on
   */
  public DataSplit withEveryLabel(Objective task) {
    if (!task.areClasses()) {
      return this;
    }
    Set<String> known = new HashSet<>();
    train.forEach(row -> known.addAll(Labels.split(task, row)));
    List<Example> moved = new ArrayList<>();
    Set<String> labels = new TreeSet<>();
    Predicate<Example> isNeeded =
        row -> {
          List<String> missing = new ArrayList<>(Labels.split(task, row));
          missing.removeAll(known);
          known.addAll(missing);
          labels.addAll(missing);
          return !missing.isEmpty() && moved.add(row);
        };
    List<Example> leftToValidate = validation.stream().filter(isNeeded.negate()).toList();
    List<Example> leftToTest = test.stream().filter(isNeeded.negate()).toList();
    if (moved.isEmpty()) {
      return this;
    }
    if (leftToValidate.isEmpty() && !validation.isEmpty()) {
      throw new BadDataException(
          "All of the validation share, %,d rows, would have to be trained on, as no other row has the"
              + " labels %s; give more rows of them, or a file to validate on.",
          validation.size(), Labels.shown(labels));
    }
    Warnings.note(
        "%,d rows of the validation share are trained on instead: no other row has the labels %s.",
        moved.size(), Labels.shown(labels));
    List<Example> all = new ArrayList<>(train);
    all.addAll(moved);
    return new DataSplit(all, leftToValidate, leftToTest);
  }

  private static int count(List<Example> rows, double share) {
    Split.check(share);
    return share == 0 ? 0 : Math.max(1, (int) Math.floor(rows.size() * share));
  }
}

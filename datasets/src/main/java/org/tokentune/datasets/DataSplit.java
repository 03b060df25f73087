package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

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

/** The parts of a data set, which have no rows in common. Parts may be empty. */
public record DataSplit(List<Example> train, List<Example> validation, List<Example> test) {

  public DataSplit {
    required(train, "train");
    required(validation, "validation");
    required(test, "test");

    train = List.copyOf(train);
    validation = List.copyOf(validation);
    test = List.copyOf(test);
  }

  /**
   * Draws shares of the rows for validation and test, using the seed; the rest is for training.
   * Remove duplicates first if they must not end up in different parts.
   *
   * @throws BadInputException if a share is not in [0, 1) or nothing would be left to train on
   */
  public static DataSplit of(List<Example> rows, double validation, double test, long seed) {
    required(rows, "rows");

    int validationRows = count(rows, validation);
    int testRows = count(rows, test);
    int trainRows = rows.size() - validationRows - testRows;
    if (trainRows < 1) {
      throw new BadDataException(
          "None of the %d rows is left for training; give more rows, or a smaller share for validation.",
          rows.size());
    }
    List<Example> drawn = new ArrayList<>(rows);
    Collections.shuffle(drawn, new Random(seed));
    return new DataSplit(
        drawn.subList(0, trainRows),
        drawn.subList(trainRows, trainRows + validationRows),
        drawn.subList(trainRows + validationRows, drawn.size()));
  }

  /** Returns the same split with at most {@code rows} training rows, drawn using the seed. */
  public DataSplit withTrainLimit(int rows, long seed) {
    return new DataSplit(Split.limited(train, rows, seed), validation, test);
  }

  /**
   * Moves rows from the other parts to the training rows, one by one, until every label occurs
   * there. Returns this split if no label is missing.
   *
   * @throws BadInputException if no rows are left for validation
   */
  public DataSplit withEveryLabel(Objective task) {
    required(task, "task");

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
          "All %,d rows of the validation share would have to be used for training, because no other row has the labels %s; give more rows with them, or a validation file.",
          validation.size(), Labels.shown(labels));
    }
    Warnings.note(
        "%,d rows of the validation share are used for training instead, because no other row has the labels %s.",
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

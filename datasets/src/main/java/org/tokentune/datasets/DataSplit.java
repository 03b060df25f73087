package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
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

  /**
   * Divides the rows into folds of equal sizes, using the seed.
   *
   * @return for each fold a split that tests on it, trains on the others, and validates on nothing
   * @throws BadInputException if there are fewer than 2 folds, or fewer rows than folds
   */
  public static List<DataSplit> folds(List<Example> rows, int folds, long seed) {
    required(rows, "rows");

    List<Example> drawn = new ArrayList<>(rows);
    Collections.shuffle(drawn, new Random(seed));
    List<List<Example>> parts = emptyFolds(folds);
    for (int i = 0; i < drawn.size(); i++) {
      parts.get(i % folds).add(drawn.get(i));
    }
    return ofFolds(parts);
  }

  static List<List<Example>> emptyFolds(int folds) {
    if (folds < 2) {
      throw BadSettingsException.of("folds", "must be at least 2, got %d.", folds);
    }
    return Stream.generate(() -> (List<Example>) new ArrayList<Example>()).limit(folds).toList();
  }

  static List<DataSplit> ofFolds(List<List<Example>> folds) {
    List<DataSplit> splits = new ArrayList<>();
    for (List<Example> tested : folds) {
      if (tested.isEmpty()) {
        throw new BadDataException(
            "There are too few rows that do not belong together for %d folds; give more, or fewer folds.",
            folds.size());
      }
      List<Example> train =
          folds.stream().filter(fold -> fold != tested).flatMap(List::stream).toList();
      splits.add(new DataSplit(train, List.of(), tested));
    }
    return splits;
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

    MissingLabels missing = new MissingLabels(task, train);
    List<Example> leftToValidate = missing.leftOfRows(validation);
    List<Example> leftToTest = missing.leftOfRows(test);
    return missing.moved().isEmpty()
        ? this
        : new DataSplit(
            missing.trained(validation.size(), leftToValidate.size()), leftToValidate, leftToTest);
  }

  private static int count(List<Example> rows, double share) {
    Split.check(share);
    return share == 0 ? 0 : Math.max(1, (int) Math.floor(rows.size() * share));
  }
}

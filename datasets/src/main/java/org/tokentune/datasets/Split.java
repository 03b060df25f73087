package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;

/**
 * Training, validation and test rows of any type; each of the three may be empty. Labelled texts
 * have {@link DataSplit}.
 */
public record Split<R>(List<R> train, List<R> validation, List<R> test) {

  /** The usual share of the rows to validate on. */
  public static final double VALIDATION = 0.1;

  public Split {
    required(train, "train");
    required(validation, "validation");
    required(test, "test");

    train = List.copyOf(train);
    validation = List.copyOf(validation);
    test = List.copyOf(test);
  }

  /**
   * Validates on a share of the rows, drawn by the seed, and trains on the rest.
   *
   * @throws BadInputException if the share is not in [0, 1)
   */
  public static <R> Split<R> drawn(List<R> rows, double validation, long seed) {
    required(rows, "rows");

    check(validation);
    List<R> drawn = shuffled(rows, seed);
    return at((int) Math.round(rows.size() * (1 - validation)), drawn);
  }

  /**
   * Validates on the last rows, and trains on those before them: hardly any text is in both parts
   * if the rows of a text are next to each other.
   *
   * @param validation share of the rows; at least one row is taken
   * @throws BadInputException if the share is not in [0, 1)
   */
  public static <R> Split<R> atEnd(List<R> rows, double validation) {
    required(rows, "rows");

    check(validation);
    int taken = Math.max(1, (int) Math.round(rows.size() * validation));
    return at(Math.max(0, rows.size() - taken), rows);
  }

  private static <R> Split<R> at(int kept, List<R> rows) {
    return new Split<>(rows.subList(0, kept), rows.subList(kept, rows.size()), List.of());
  }

  /** The same split with other rows to test on. */
  public Split<R> withTest(List<R> rows) {
    required(rows, "rows");

    return new Split<>(train, validation, rows);
  }

  /** The same split with at most {@code rows} of the training rows, drawn by the seed. */
  public Split<R> withTrainLimit(int rows, long seed) {
    return new Split<>(limited(train, rows, seed), validation, test);
  }

  /** At most so many rows, drawn by the seed. */
  static <R> List<R> limited(List<R> rows, int limit, long seed) {
    if (limit < 1) {
      throw new BadSettingsException("A limit of %d rows leaves nothing; give 1 or more.", limit);
    }
    return shuffled(rows, seed).subList(0, Math.min(limit, rows.size()));
  }

  private static <R> List<R> shuffled(List<R> rows, long seed) {
    List<R> drawn = new ArrayList<>(rows);
    Collections.shuffle(drawn, new Random(seed));
    return drawn;
  }

  static void check(double share) {
    if (!(share >= 0 && share < 1)) {
      throw new BadSettingsException("A share of %s is not 0%% to below 100%%; correct it.", share);
    }
  }
}

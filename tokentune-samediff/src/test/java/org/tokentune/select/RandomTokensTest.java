package org.tokentune.select;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokentune.BadInputException;

class RandomTokensTest {

  private static final long SEED = 42;

  private static TokenSelection select(TokenAmount amount, int... lengths) {
    int padded = Arrays.stream(lengths).max().orElseThrow();
    return new RandomTokens(amount, true).select(lengths, padded, null, SEED, 0, 0);
  }

  @Test
  void isUniformAfterPosition0() {
    int length = 21;
    int draws = 4000;
    int k = 6;
    double[] counts = new double[length];
    RandomTokens selector = new RandomTokens(TokenAmount.count(k), true);
    for (int batch = 0; batch < draws; batch++) {
      for (int position :
          selector.select(new int[] {length}, length, null, SEED, batch % 7, batch).selected()[0]) {
        counts[position]++;
      }
    }
    assertEquals(draws, counts[0]);
    double expected = (double) draws * (k - 1) / (length - 1);
    double statistic = 0;
    for (int i = 1; i < length; i++) {
      statistic += Math.pow(counts[i] - expected, 2) / expected;
    }
    // 43.8: chi-square with 19 degrees of freedom, probability 0.001. Sampling without replacement
    // varies less.
    System.out.printf("selection, 20 positions: chi-square %.1f, critical 43.8%n", statistic);
    assertTrue(statistic < 43.8);
  }

  @ParameterizedTest
  @CsvSource({
    "0.25, 8, 1, 1", "0.25, 8, 4, 4", "0.25, 8, 8, 8", "0.25, 8, 20, 8", "0.25, 8, 33, 8",
    "0.25, 8, 34, 9", "0.25, 8, 100, 25", "0.1, 1, 4, 1", "0.1, 1, 100, 10", "1, 8, 57, 57"
  })
  void sharesRoundAndHaveAFloor(double share, int floor, int length, int expected) {
    assertEquals(expected, TokenAmount.share(share, floor).of(length));
  }

  @Test
  void oneTokenIsPosition0() {
    TokenSelection one = select(TokenAmount.count(1), 9, 3);
    assertArrayEquals(new int[][] {{0}, {0}}, one.selected());
    assertEquals(8, one.frozen()[1].length);
  }

  @Test
  void allTokensLeaveNothingFrozen() {
    assertTrue(select(TokenAmount.count(9), 9, 4).all());
    assertTrue(select(TokenAmount.share(1, 8), 9, 4).all());
    assertTrue(new AllTokens().select(new int[] {3, 2}, 5, null, SEED, 0, 0).all());
  }

  @Test
  void shortRowsAreFilledWithPaddingOnly() {
    int rows = 0;
    for (TokenAmount amount :
        List.of(TokenAmount.count(5), TokenAmount.share(0.25, 8), TokenAmount.share(0.6, 1))) {
      for (int longest = 1; longest <= 60; longest++) {
        int[] lengths = IntStream.rangeClosed(1, longest).toArray();
        TokenSelection selection = select(amount, lengths);
        for (int row = 0; row < longest; row++, rows++) {
          int length = lengths[row];
          int[] chosen = selection.selected()[row];
          long valid = Arrays.stream(chosen).filter(i -> i < length).count();
          assertEquals(amount.of(length), valid);
          assertEquals(0, chosen[0]);
          int[] both =
              IntStream.concat(Arrays.stream(chosen), Arrays.stream(selection.frozen()[row]))
                  .sorted()
                  .toArray();
          assertArrayEquals(IntStream.range(0, longest).toArray(), both);
        }
      }
    }
    System.out.println("selection: " + rows + " rows filled with padding only, streams complete");
  }

  @Test
  void selectsLabelledTokensFirst() {
    int[][] labels = {{-100, -100, 7, -100, 8, -100, 9, -100}};
    RandomTokens selector = new RandomTokens(TokenAmount.count(4), false);
    int[] row = selector.select(new int[] {8}, 8, labels, SEED, 0, 0).selected()[0];
    assertTrue(IntStream.of(2, 4, 6).allMatch(i -> Arrays.stream(row).anyMatch(p -> p == i)));
  }

  @Test
  void spansAreAdjacentSharedByTheBatchAndCoverAllLabels() {
    TokenSelector selector = RandomTokens.parse("span:4", 1, false);
    int[] labels = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -100, -100}; // the last word has no successor
    Set<Integer> first = new TreeSet<>();
    for (int batch = 0; batch < 50; batch++) {
      int[][] rows =
          selector
              .select(new int[] {12, 12}, 12, new int[][] {labels, labels}, SEED, 0, batch)
              .selected();
      assertArrayEquals(rows[0], rows[1]);
      int begin = rows[0][0];
      first.add(begin);
      assertArrayEquals(IntStream.range(begin, begin + 4).toArray(), rows[0]);
    }
    assertEquals(Set.of(0, 3, 6), first);
    int[] beyond = select(RandomTokens.parse("span:11", 1, false), new int[][] {labels});
    assertTrue(IntStream.range(0, 10).allMatch(i -> beyond[i] == i) && beyond[10] > 9);
    System.out.println("spans of 4 of 10 labelled tokens begin at " + first);
  }

  /** Position 0 and forced positions count towards the amount, not the span. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 12})
  void spansOfClassifiersReachEveryToken(int count) {
    TokenSelector selector = RandomTokens.parse("span:" + count, 1, true);
    int[] labels = new int[12];
    labels[5] = TokenSelector.FORCED;
    Set<Integer> reached = new TreeSet<>();
    for (int batch = 0; batch < 100; batch++) {
      int[] row =
          selector.select(new int[] {12}, 12, new int[][] {labels}, SEED, 0, batch).selected()[0];
      assertEquals(Math.max(2, count), row.length);
      Arrays.stream(row).forEach(reached::add);
    }
    int[] expected = count < 3 ? new int[] {0, 5} : IntStream.range(0, 12).toArray();
    assertArrayEquals(expected, reached.stream().mapToInt(Integer::intValue).toArray());
  }

  private static int[] select(TokenSelector selector, int[][] labels) {
    return selector.select(new int[] {labels[0].length}, labels[0].length, labels, SEED, 0, 0)
        .selected()[0];
  }

  @Test
  void forcedPositionsAreSelectedBeyondTheAmount() {
    int[][] labels = {new int[12], new int[12], new int[12]};
    for (int[] row : labels) {
      Arrays.fill(row, -100);
    }
    int[] must = {3, 4, 5, 8, 9};
    for (int position : must) {
      labels[1][position] = TokenSelector.FORCED;
    }
    RandomTokens selector = new RandomTokens(TokenAmount.count(2), true);
    int[] lengths = {12, 11, 4};
    TokenSelection selection = selector.select(lengths, 12, labels, SEED, 0, 0);
    assertArrayEquals(new int[] {0, 3, 4, 5, 8, 9}, selection.selected()[1]);
    for (int[] row : selection.selected()) {
      assertEquals(6, Arrays.stream(row).distinct().count());
    }
    assertEquals(12, selection.selected()[2].length + selection.frozen()[2].length);
  }

  @Test
  void dependsOnSeedEpochBatchAndRowOnly() {
    RandomTokens selector = new RandomTokens(TokenAmount.share(0.25, 8), true);
    int[] lengths = {50, 50, 31};
    int[][] first = selector.select(lengths, 50, null, SEED, 1, 2).selected();
    IntStream.range(0, 64)
        .parallel()
        .forEach(
            i ->
                assertArrayEquals(
                    first, selector.select(lengths, 50, null, SEED, 1, 2).selected()));
    assertFalse(Arrays.equals(first[0], first[1]));
    for (int[][] other :
        List.of(
            selector.select(lengths, 50, null, SEED + 1, 1, 2).selected(),
            selector.select(lengths, 50, null, SEED, 2, 1).selected(),
            selector.select(lengths, 50, null, SEED, 1, 3).selected())) {
      assertFalse(Arrays.deepEquals(first, other));
    }
    int[][] alone = selector.select(new int[] {50}, 50, null, SEED, 1, 2).selected();
    assertArrayEquals(first[0], alone[0]);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "-3",
        "0%",
        "-5%",
        "101%",
        "NaN%",
        "many",
        "",
        "%",
        "2.5",
        "2%5%",
        "span:",
        "span:all"
      })
  void rejectsInvalidAmounts(String tokens) {
    String message =
        assertThrows(BadInputException.class, () -> RandomTokens.parse(tokens, 8, true))
            .getMessage();
    assertTrue(message.contains("Tokens " + tokens) && message.contains("25%"), message);
  }

  @Test
  void parsesTheTokensOption() {
    assertEquals(new AllTokens(), RandomTokens.parse("all", 8, true));
    assertEquals(new RandomTokens(TokenAmount.count(4), true), RandomTokens.parse("4", 8, true));
    assertEquals(
        new RandomTokens(TokenAmount.share(0.25, 8), false), RandomTokens.parse("25%", 8, false));
    assertEquals(
        new RandomTokens(TokenAmount.share(0.25, 8), true, true),
        RandomTokens.parse("span:25%", 8, true));
  }
}

package org.tokentune.select;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;

/**
 * Random tokens without replacement, drawn afresh for every batch (Simoulin et al., EMNLP 2024).
 *
 * <p>Forced positions come first, even beyond the amount (then k is one of a few numbers, as every
 * k needs its own plan); then tokens with a label, so that every step has something to learn from;
 * then other tokens. A batch's k is that of its largest row; the other rows are filled with padding
 * positions, which have no effect: no token attends to them and they have no label.
 *
 * <p>Alternatively a span: a row's labelled tokens are divided into evenly spaced spans, and one of
 * them is drawn for the whole batch. The keys and values just before a token then also carry
 * gradient, which brings a language model's gradients closer to those of all tokens (measured by
 * {@code acceptance/language.sh}), and a causal model does not even read the tokens after the last
 * selected one.
 *
 * @param forceFirst whether position 0 is always selected and counted, for classifiers that read it
 * @param span whether adjacent labelled tokens are drawn as a span; otherwise independently
 */
public record RandomTokens(TokenAmount amount, boolean forceFirst, boolean span)
    implements TokenSelector {

  private static final String SPAN = "span:";

  public RandomTokens {
    required(amount, "amount");
  }

  /** Draws tokens independently. */
  public RandomTokens(TokenAmount amount, boolean forceFirst) {
    this(amount, forceFirst, false);
  }

  /**
   * Parses the value of {@code --tokens}: {@code all}, a count such as {@code 32}, or a share such
   * as {@code 25%}; the prefix {@code span:} before a count or share selects a span.
   *
   * @param floor fewest tokens per row if a share is given
   */
  public static TokenSelector parse(String tokens, int floor, boolean forceFirst) {
    required(tokens, "tokens");

    String text = tokens.strip();
    if (text.equals("all")) {
      return new AllTokens();
    }
    boolean span = text.startsWith(SPAN);
    String size = span ? text.substring(SPAN.length()) : text;
    try {
      TokenAmount amount =
          size.endsWith("%")
              ? TokenAmount.share(percent(size) / 100, floor)
              : TokenAmount.count(positive(Integer.parseInt(size)));
      return new RandomTokens(amount, forceFirst, span);
    } catch (NumberFormatException | BadInputException e) {
      throw new BadSettingsException(
          e,
          "Tokens %s with at least %d per text is not a valid selection; give all, a count such"
              + " as 32, or a share such as 25%% (above 0%% to 100%%), with the prefix span: for"
              + " adjacent tokens.",
          tokens,
          floor);
    }
  }

  private static double percent(String share) {
    return Double.parseDouble(share.substring(0, share.length() - 1));
  }

  private static int positive(int count) {
    if (count < 1) {
      throw new NumberFormatException("not positive");
    }
    return count;
  }

  @Override
  public TokenSelection select(
      int[] lengths, int paddedLength, int[][] labels, long seed, int epoch, int batch) {
    TokenSelection.check(lengths, paddedLength);
    int most = Arrays.stream(lengths).map(amount::of).max().orElseThrow();
    int forced =
        IntStream.range(0, lengths.length).map(row -> forced(labels, row)).max().orElseThrow();
    int k = forced > most ? PaddedLength.of(forced, paddedLength) : most;
    double at = random(seed, epoch, batch, lengths.length).nextDouble();
    int[][] selected = new int[lengths.length][];
    for (int row = 0; row < lengths.length; row++) {
      SplittableRandom random = random(seed, epoch, batch, row);
      int[] labelled = labels == null ? null : labels[row];
      int padding = paddedLength - lengths[row];
      int count = Math.max(amount.of(lengths[row]), Math.max(forced(labels, row), k - padding));
      int[] drawn = draw(lengths[row], count, labelled, random, at);
      selected[row] = fill(drawn, lengths[row], k, paddedLength);
    }
    return TokenSelection.of(selected, paddedLength);
  }

  /**
   * A row's own random generator, so its draws do not depend on other rows. The numbers are chained
   * through generators, because adding them would give different (epoch, batch) pairs the same
   * seed.
   */
  private static SplittableRandom random(long seed, int epoch, int batch, int row) {
    long mixed = seed;
    for (int number : new int[] {epoch, batch, row}) {
      mixed = new SplittableRandom(mixed).nextLong() + number;
    }
    return new SplittableRandom(mixed);
  }

  /** The number of forced positions in a row. */
  private int forced(int[][] labels, int row) {
    int first = forceFirst ? 1 : 0;
    return labels == null
        ? first
        : first + (int) Arrays.stream(labels[row]).skip(first).filter(i -> i == FORCED).count();
  }

  private int[] draw(int length, int count, int[] labels, SplittableRandom random, double at) {
    List<Integer> forced = new ArrayList<>();
    List<Integer> order = new ArrayList<>();
    List<Integer> rest = new ArrayList<>();
    for (int i = forceFirst ? 1 : 0; i < length; i++) {
      int label = labels == null ? 0 : labels[i];
      (label == FORCED ? forced : label == NO_LABEL ? rest : order).add(i);
    }
    if (span) {
      int first = forceFirst ? 1 : 0;
      Collections.rotate(order, -spanStart(order.size(), count - first - forced.size(), at));
    } else {
      shuffle(order, random);
    }
    shuffle(rest, random);
    order.addAll(rest);
    order.addAll(0, forced);
    if (forceFirst) {
      order.add(0, 0);
    }
    return order.stream().limit(count).mapToInt(Integer::intValue).toArray();
  }

  /**
   * Start of a span of {@code count} out of {@code size} tokens.
   *
   * @param at which span, from 0 (the first) to below 1 (the last)
   */
  private static int spanStart(int size, int count, double at) {
    if (count == 0 || size <= count) {
      return 0;
    }
    int spans = (size + count - 1) / count;
    int drawn = (int) (at * spans);
    return drawn * (size - count) / (spans - 1);
  }

  private static void shuffle(List<Integer> positions, SplittableRandom random) {
    for (int i = positions.size() - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      positions.set(i, positions.set(j, positions.get(i)));
    }
  }

  /** Fills up to k with the first padding positions. */
  private static int[] fill(int[] drawn, int length, int k, int paddedLength) {
    int[] row = Arrays.copyOf(drawn, k);
    for (int i = drawn.length; i < k; i++) {
      row[i] = length + i - drawn.length;
    }
    if (row[k - 1] >= paddedLength) {
      throw BadSettingsException.of(
          "paddedLength", "must leave room for %d tokens of a row, got %d.", k, paddedLength);
    }
    Arrays.sort(row);
    return row;
  }
}

package org.tokentune.models;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.BadFileException;

/**
 * Ways to make one vector of a text's hidden states, as sentence-transformers' {@code Pooling} has
 * them.
 */
public enum SentencePooling {
  CLS("cls", "pooling_mode_cls_token"),
  MAX("max", "pooling_mode_max_tokens"),
  MEAN("mean", "pooling_mode_mean_tokens"),
  MEAN_SQRT_LEN("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens"),
  WEIGHTED_MEAN("weightedmean", "pooling_mode_weightedmean_tokens"),
  LAST_TOKEN("lasttoken", "pooling_mode_lasttoken");

  /** Its name in version 6. */
  private final String title;

  /**
   * The switch that older versions have for it; the constants are in the order of their results.
   */
  final String flag;

  SentencePooling(String title, String flag) {
    this.title = title;
    this.flag = flag;
  }

  /** By its name in version 6. */
  static SentencePooling named(String title, String origin) {
    Optional<SentencePooling> found =
        Arrays.stream(values()).filter(one -> one.title.equals(title)).findFirst();
    return found.orElseThrow(
        () ->
            new BadFileException(
                "%s: pooling_mode %s is not known; %s are.",
                origin,
                title,
                Arrays.stream(values()).map(one -> one.title).collect(Collectors.joining(", "))));
  }

  /** Its name in version 6. */
  @Override
  public String toString() {
    return title;
  }

  /** Whether the row of the first token is all that it reads. */
  boolean readsFirst() {
    return this == CLS;
  }

  /**
   * The weights of tokens in a sum that, divided by {@link #divisor}, is the pooled vector.
   *
   * @param tokens 1 for tokens, 0 for padding
   * @param positions in the text, from 0, of the shape and type of {@code tokens}
   * @param last the position of the last token of each text, [batch, 1, 1]
   */
  SDVariable weights(SDVariable tokens, SDVariable positions, SDVariable last) {
    return switch (this) {
      case MEAN, MEAN_SQRT_LEN -> tokens;
      case WEIGHTED_MEAN -> tokens.mul(positions.add(1));
      case CLS -> positions.eq(0.0).castTo(tokens.dataType());
      case LAST_TOKEN -> positions.eq(last).castTo(tokens.dataType());
      case MAX -> throw new IllegalStateException("the greatest rows are no sum");
    };
  }

  /** Divides the sum of rows; {@code weights} is the sum of their weights. */
  SDVariable divisor(SDVariable weights) {
    return this == MEAN_SQRT_LEN ? weights.getSameDiff().math().sqrt(weights) : weights;
  }

  /** The results of several, one after the other. */
  static double[] pool(List<SentencePooling> modes, float[][] rows, int first) {
    int hidden = rows[0].length;
    double[] all = new double[modes.size() * hidden];
    for (int i = 0; i < modes.size(); i++) {
      System.arraycopy(modes.get(i).pool(rows, first), 0, all, i * hidden, hidden);
    }
    return all;
  }

  /**
   * One vector of a text.
   *
   * @param rows hidden states of its tokens, at least one, without padding
   * @param first token that counts; those before it are a prompt's
   */
  private double[] pool(float[][] rows, int first) {
    double[] result = new double[rows[0].length];
    switch (this) {
      case CLS -> add(result, rows[Math.min(first, rows.length - 1)], 1);
      case LAST_TOKEN -> add(result, rows[rows.length - 1], 1);
      case MAX -> {
        Arrays.fill(result, Double.NEGATIVE_INFINITY);
        for (int i = first; i < rows.length; i++) {
          for (int j = 0; j < result.length; j++) {
            result[j] = Math.max(result[j], rows[i][j]);
          }
        }
      }
      case MEAN, MEAN_SQRT_LEN -> {
        double count = rows.length - first;
        for (int i = first; i < rows.length; i++) {
          add(result, rows[i], 1 / (this == MEAN ? count : Math.sqrt(count)));
        }
      }
      case WEIGHTED_MEAN -> {
        double sum = 0;
        for (int i = first; i < rows.length; i++) {
          sum += i + 1;
        }
        for (int i = first; i < rows.length; i++) {
          add(result, rows[i], (i + 1) / sum);
        }
      }
    }
    return result;
  }

  private static void add(double[] sum, float[] row, double factor) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] += factor * row[j];
    }
  }
}

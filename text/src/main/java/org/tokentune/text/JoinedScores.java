package org.tokentune.text;

import java.util.Arrays;

/** Scores of a text, or of each of its words, joined over the windows that it is read in. */
final class JoinedScores {

  private final double[][] scores;
  private final int[] counts;
  private final LongTexts.WindowScores join;
  private final boolean sumToOne;

  /**
   * @param items 1 for a text, or its number of words
   * @param sumToOne whether the scores of an item are probabilities of classes
   */
  JoinedScores(int items, LongTexts.WindowScores join, boolean sumToOne) {
    scores = new double[items][];
    counts = new int[items];
    this.join = join;
    this.sumToOne = sumToOne;
  }

  /** Adds an item's scores in a window. */
  void add(int item, double[] values) {
    double[] before = scores[item];
    counts[item]++;
    scores[item] = values.clone();
    for (int i = 0; before != null && i < values.length; i++) {
      scores[item][i] =
          join == LongTexts.WindowScores.MEAN
              ? before[i] + values[i]
              : Math.max(before[i], values[i]);
    }
  }

  /**
   * Adds the words of a window: each has the probabilities of its first token.
   *
   * @param logits [tokens][tags]
   * @param words of the tokens, as {@link org.tokentune.datasets.TextTokenizer.Tokens} has them
   */
  void addWords(double[][] logits, int[] words) {
    int last = -1;
    for (int i = 0; i < words.length; i++) {
      if (words[i] >= 0 && words[i] != last) {
        add(words[i], softmax(logits[i]));
      }
      last = words[i];
    }
  }

  private static double[] softmax(double[] logits) {
    double most = Arrays.stream(logits).max().orElseThrow();
    double[] powers = Arrays.stream(logits).map(logit -> Math.exp(logit - most)).toArray();
    double sum = Arrays.stream(powers).sum();
    return Arrays.stream(powers).map(power -> power / sum).toArray();
  }

  /** The joined scores of each item; null for one that no window has. */
  double[][] scores() {
    double[][] joined = new double[scores.length][];
    for (int i = 0; i < joined.length; i++) {
      if (counts[i] > 0) {
        boolean mean = join == LongTexts.WindowScores.MEAN;
        double all = mean ? counts[i] : 1;
        if (!mean && sumToOne && counts[i] > 1) {
          all = Arrays.stream(scores[i]).sum();
        }
        double by = all;
        joined[i] = Arrays.stream(scores[i]).map(score -> score / by).toArray();
      }
    }
    return joined;
  }

  /** The number of the largest score; of equal ones the first. */
  static int largest(double[] scores) {
    int largest = 0;
    for (int i = 1; i < scores.length; i++) {
      largest = scores[i] > scores[largest] ? i : largest;
    }
    return largest;
  }
}

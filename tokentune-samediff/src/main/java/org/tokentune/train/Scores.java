package org.tokentune.train;

import org.tokentune.models.Task;

/**
 * How well a model does on labelled rows. What a task has not is NaN, or an empty matrix.
 *
 * @param rows texts (tagged words, for tags; labelled tokens, for a language model) scored
 * @param loss mean over the rows
 * @param accuracy share of the rows (of words, for tags; of single decisions, for several labels)
 *     that are right
 * @param macroF1 mean over the classes or labels of their F1
 * @param confusion [actual][predicted] rows, for classes and tags
 * @param meanSquaredError of regressed numbers
 * @param correlation Pearson's, of regressed numbers
 */
public record Scores(
    Task task,
    long rows,
    double loss,
    double accuracy,
    double macroF1,
    long[][] confusion,
    double meanSquaredError,
    double correlation) {

  /** Of a language model: the exponential of the mean loss of a token. */
  public double perplexity() {
    return Math.exp(loss);
  }

  /** What says which of two models is better: more is. */
  public double quality() {
    return switch (task) {
      case REGRESS -> -meanSquaredError;
      case CAUSAL_LM -> -loss;
      default -> accuracy;
    };
  }
}

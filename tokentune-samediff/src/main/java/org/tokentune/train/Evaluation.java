package org.tokentune.train;

/**
 * What an evaluation in the course of a training came to.
 *
 * @param step after which it was, from 1
 * @param epoch in which that was, from 1
 * @param trainLoss mean over the steps since the evaluation before
 * @param scores on the validation rows
 */
public record Evaluation(int step, int epoch, double trainLoss, Scores scores) {

  /** Whether its scores are better than another's; NaN is never. */
  boolean betterThan(Evaluation other) {
    return other == null || quality() > other.quality();
  }

  private double quality() {
    double quality = scores.quality();
    return Double.isNaN(quality) ? Double.NEGATIVE_INFINITY : quality;
  }
}

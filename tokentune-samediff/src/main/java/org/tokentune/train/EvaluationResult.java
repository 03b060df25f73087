package org.tokentune.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Scores;

/**
 * What an evaluation in the course of a training came to.
 *
 * @param step after which it was, from 1
 * @param epoch in which that was, from 1
 * @param trainLoss mean over the steps since the evaluation before
 * @param scores on the validation rows
 */
public record EvaluationResult(
    @JsonProperty("step") int step,
    @JsonProperty("epoch") int epoch,
    @JsonProperty("train_loss") double trainLoss,
    @JsonProperty("scores") Scores scores) {

  /**
   * Whether its scores are better than another's by some metrics; NaN is never. Of equal scores the
   * lower loss is better: few validation rows soon have all classes right.
   */
  boolean betterThan(EvaluationResult other, List<Metric> by) {
    if (other == null || quality(by) > other.quality(by)) {
      return true;
    }
    return quality(by) == other.quality(by) && scores.loss() < other.scores.loss();
  }

  private double quality(List<Metric> by) {
    double quality = scores.quality(by);
    return Double.isNaN(quality) ? Double.NEGATIVE_INFINITY : quality;
  }
}

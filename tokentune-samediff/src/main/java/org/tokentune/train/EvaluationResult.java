package org.tokentune.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Scores;

/**
 * The result of an evaluation during training.
 *
 * @param step of the training before it, from 1
 * @param epoch of this step, from 1
 * @param trainLoss mean over the steps since the previous evaluation
 * @param scores on the validation rows
 */
public record EvaluationResult(
    @JsonProperty("step") int step,
    @JsonProperty("epoch") int epoch,
    @JsonProperty("train_loss") double trainLoss,
    @JsonProperty("scores") Scores scores) {

  /**
   * Whether its scores are better than another's by the given metrics; NaN never is. If they are
   * equal, the lower loss decides, because all classes of a few validation rows are soon right.
   */
  boolean betterThan(EvaluationResult other, List<Metric> by) {
    if (other == null || quality(by) > other.quality(by)) {
      return true;
    }
    return quality(by) == other.quality(by) && scores.loss() < other.scores.loss();
  }

  /**
   * Whether its scores are better than another's by more than a difference; if that is 0, as {@link
   * #betterThan}.
   */
  boolean betterThan(EvaluationResult other, List<Metric> by, double least) {
    if (least == 0 || other == null) {
      return betterThan(other, by);
    }
    return quality(by) > (other.quality(by) + least);
  }

  private double quality(List<Metric> by) {
    double quality = scores.quality(by);
    return Double.isNaN(quality) ? Double.NEGATIVE_INFINITY : quality;
  }
}

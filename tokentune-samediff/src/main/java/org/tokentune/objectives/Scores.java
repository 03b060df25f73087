package org.tokentune.objectives;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The scores of a model on labelled rows.
 *
 * @param rows texts (tagged words, for tags; labelled tokens, for a language model) scored
 * @param loss mean over the rows; NaN if it was not computed
 * @param metrics of the task, in order
 * @param confusion [actual][predicted] rows, for classes and tags; otherwise empty
 */
public record Scores(
    @JsonProperty("task") Objective task,
    @JsonProperty("rows") long rows,
    @JsonProperty("loss") double loss,
    @JsonProperty("metrics") Map<Metric, Double> metrics,
    @JsonProperty("confusion") long[][] confusion) {

  public Scores {
    EnumMap<Metric, Double> copy = new EnumMap<>(Metric.class);
    copy.putAll(metrics);
    metrics = Collections.unmodifiableMap(copy);
  }

  /** A metric; NaN if the task does not have it. */
  public double get(Metric metric) {
    return metric == Metric.LOSS ? loss : metrics.getOrDefault(metric, Double.NaN);
  }

  /** {@link Metric#ACCURACY}. */
  public double accuracy() {
    return get(Metric.ACCURACY);
  }

  /** The perplexity of a language model: the exponential of the mean loss per token. */
  public double perplexity() {
    return Math.exp(loss);
  }

  /**
   * A value by which models are compared; larger is better.
   *
   * @param by metrics whose mean it is; if none, the default of the task
   */
  public double quality(List<Metric> by) {
    if (!by.isEmpty()) {
      return by.stream()
          .mapToDouble(metric -> metric.lessIsBetter() ? -get(metric) : get(metric))
          .average()
          .orElseThrow();
    }
    return task.quality(this);
  }
}

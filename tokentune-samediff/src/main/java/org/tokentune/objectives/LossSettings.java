package org.tokentune.objectives;

import static org.tokentune.Arguments.required;

import java.io.Serializable;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadSettingsException;

/**
 * Changes to the loss that a training minimises. The loss of an evaluation is never changed, so
 * that it can be compared between trainings.
 *
 * @param classWeights by number of the class, as {@code weight} in PyTorch's {@code
 *     CrossEntropyLoss}; for multi-label classification the weights of the labels that apply, as
 *     {@code pos_weight} in {@code BCEWithLogitsLoss}; if empty, all are 1
 * @param labelSmoothing share of a label that is spread evenly over all classes, as {@code
 *     label_smoothing} in {@code CrossEntropyLoss}
 * @param focalGamma the power of the focal loss (Lin et al., 2017), with which a row counts the
 *     less the surer it is: {@code (1 - p)^gamma}, where p is the probability of the label; 0: all
 *     count alike
 */
public record LossSettings(List<Double> classWeights, double labelSmoothing, double focalGamma)
    implements Serializable {

  public LossSettings {
    required(classWeights, "classWeights");

    classWeights = List.copyOf(classWeights);
    for (double weight : classWeights) {
      if (!(weight >= 0) || Double.isInfinite(weight)) {
        throw BadSettingsException.of(
            "classWeights", "must be at least 0 and finite, got %s.", weight);
      }
    }
    if (!classWeights.isEmpty() && classWeights.stream().allMatch(weight -> weight == 0)) {
      throw BadSettingsException.of("classWeights", "must not all be 0, got %s.", classWeights);
    }
    if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
      throw BadSettingsException.of(
          "labelSmoothing", "must be at least 0 and below 1, got %s.", labelSmoothing);
    }
    if (!(focalGamma >= 0) || Double.isInfinite(focalGamma)) {
      throw BadSettingsException.of(
          "focalGamma", "must be at least 0 and finite, got %s.", focalGamma);
    }
    if (focalGamma > 0 && labelSmoothing > 0) {
      throw BadSettingsException.of(
          "focalGamma",
          "and label smoothing exclude each other, got %s and %s.",
          focalGamma,
          labelSmoothing);
    }
  }

  /** The loss of the task, unchanged. */
  public static LossSettings plain() {
    return new LossSettings(List.of(), 0, 0);
  }

  /** Returns a copy with other weights of the classes; empty: all are 1. */
  public LossSettings withClassWeights(List<Double> weights) {
    return new LossSettings(weights, labelSmoothing, focalGamma);
  }

  /** Returns a copy with another share that is spread over all classes. */
  public LossSettings withLabelSmoothing(double share) {
    return new LossSettings(classWeights, share, focalGamma);
  }

  /** Returns a copy with another power of the focal loss; 0: none. */
  public LossSettings withFocalGamma(double gamma) {
    return new LossSettings(classWeights, labelSmoothing, gamma);
  }

  /** The weight of a class. */
  double weight(int number) {
    return classWeights.isEmpty() ? 1 : classWeights.get(number);
  }

  /** The weights in a graph, [classes]; null if all are 1. */
  SDVariable weights(LossInputs inputs) {
    if (classWeights.isEmpty()) {
      return null;
    }
    double[] values = classWeights.stream().mapToDouble(Double::doubleValue).toArray();
    return inputs.sd().constant(Nd4j.createFromArray(values).castTo(inputs.type()));
  }

  /**
   * Checks that a head can be trained with this loss.
   *
   * @throws BadSettingsException if its task has no classes, or another number of them
   */
  public void check(Objective task, int outputs) {
    required(task, "task");

    check(task);
    if (!classWeights.isEmpty() && classWeights.size() != outputs) {
      throw BadSettingsException.of(
          "classWeights",
          "must be one for each of the %d classes, got %d.",
          outputs,
          classWeights.size());
    }
  }

  /**
   * Checks that a task has such a loss.
   *
   * @throws BadSettingsException if it has none
   */
  public void check(Objective task) {
    required(task, "task");

    if (!classWeights.isEmpty() && !task.areClasses()) {
      throw BadSettingsException.of(
          "classWeights",
          "are for the tasks classify, multilabel and token, not for %s.",
          task.shortName());
    }
    if (focalGamma > 0 && !task.areClasses()) {
      throw BadSettingsException.of(
          "focalGamma",
          "is for the tasks classify, multilabel and token, not for %s.",
          task.shortName());
    }
    if (labelSmoothing > 0 && (!task.areClasses() || task == Objectives.MULTILABEL)) {
      throw BadSettingsException.of(
          "labelSmoothing", "is for the tasks classify and token, not for %s.", task.shortName());
    }
  }
}

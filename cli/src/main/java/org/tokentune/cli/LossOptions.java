package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.ClassWeights;
import org.tokentune.objectives.LossSettings;
import org.tokentune.objectives.Objective;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Options for the loss that a training minimises. */
final class LossOptions {

  @Option(
      names = "--class-weights",
      paramLabel = "balanced|LABEL=WEIGHT,...",
      converter = GivenWeights.Converter.class,
      description = {
        "Weights of the labels in the loss, such as good=1,bad=5 (others: 1), or balanced: rare labels",
        "weigh as much as frequent ones. For classify, multilabel and token. Default: all 1."
      })
  private GivenWeights classWeights;

  @Option(
      names = "--label-smoothing",
      paramLabel = "SHARE",
      description = {
        "Share of every label that is spread evenly over all classes, usually 0.1; for classify and",
        "token. Default ${DEFAULT-VALUE}."
      })
  private double labelSmoothing = LossSettings.plain().labelSmoothing();

  @Option(
      names = "--focal-gamma",
      paramLabel = "GAMMA",
      description = {
        "Focal loss: a row counts the less the surer its label is, by (1 - p)^GAMMA, usually 2; for",
        "classify, multilabel and token. Default ${DEFAULT-VALUE}: all rows count alike."
      })
  private double focalGamma = LossSettings.plain().focalGamma();

  /** Class weights, and how they were written. */
  private record GivenWeights(String text, ClassWeights weights) {

    private static final class Converter implements ITypeConverter<GivenWeights> {

      @Override
      public GivenWeights convert(String text) {
        try {
          return new GivenWeights(text, ClassWeights.parse(text));
        } catch (BadSettingsException e) {
          throw new TypeConversionException(e.getMessage());
        }
      }
    }
  }

  /** The settings without class weights, which depend on the rows. */
  LossSettings settings() {
    return LossSettings.plain().withLabelSmoothing(labelSmoothing).withFocalGamma(focalGamma);
  }

  /** Rejects a task that does not have such a loss, before its data are read. */
  void check(Objective task) {
    settings().check(task);
    if (classWeights != null) {
      classWeights.weights().check(task);
    }
  }

  /** The class weights; null if all are 1. */
  ClassWeights classWeights() {
    return classWeights == null ? null : classWeights.weights();
  }

  void put(ObjectNode result) {
    result.put("class_weights", classWeights == null ? null : classWeights.text());
    result.put("label_smoothing", labelSmoothing);
    result.put("focal_gamma", focalGamma);
  }
}

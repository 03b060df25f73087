package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import org.tokentune.train.OptimizerSettings;
import picocli.CommandLine.Option;

/** Options for the optimizer. */
final class OptimizerOptions {

  @Option(
      names = "--optimizer",
      paramLabel = "adamw|sgd|adafactor|lion|adamw8bit",
      defaultValue = "adamw",
      description = {
        "adamw keeps two floats for each trained number between steps; adamw8bit two bytes, and two",
        "floats for every 256 (two floats each of tensors below 4,096 numbers); lion one float;",
        "adafactor one for each row and column of a matrix; sgd none, or one with --momentum. Rates",
        "differ: lion usually takes a third to a tenth of adamw's. Default ${DEFAULT-VALUE}."
      })
  private OptimizerSettings.Kind optimizer;

  @Option(
      names = "--momentum",
      paramLabel = "SHARE",
      defaultValue = "0",
      description = "For sgd: share of the last step's direction, usually 0.9; default 0, none.")
  private double momentum;

  OptimizerSettings settings(
      double weightDecay, double layerDecay, Map<String, Double> rateFactors) {
    return new OptimizerSettings(optimizer, momentum, weightDecay, layerDecay, rateFactors);
  }

  /** The options that differ from their defaults, as on a command line. */
  String options() {
    String momentumOption = momentum == 0 ? "" : " --momentum " + momentum;
    return optimizer == OptimizerSettings.Kind.ADAMW
        ? ""
        : " --optimizer " + optimizer + momentumOption;
  }

  void put(ObjectNode result) {
    result.put("optimizer", optimizer.toString()).put("momentum", momentum);
  }

  /** As people read it. */
  @Override
  public String toString() {
    return momentum == 0 ? optimizer.toString() : optimizer + ", momentum " + momentum;
  }
}

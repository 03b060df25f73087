package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import org.tokentune.train.OptimizerSettings;
import picocli.CommandLine.Option;

/** Options that say which optimizer, and what it keeps. */
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
  private Name optimizer;

  @Option(
      names = "--momentum",
      paramLabel = "SHARE",
      defaultValue = "0",
      description = "Of sgd: share of the last step's direction, usually 0.9; default 0, none.")
  private double momentum;

  /** The optimizers, as the command line names them. */
  private enum Name {
    adamw(OptimizerSettings.Kind.ADAMW),
    sgd(OptimizerSettings.Kind.SGD),
    adafactor(OptimizerSettings.Kind.ADAFACTOR),
    lion(OptimizerSettings.Kind.LION),
    adamw8bit(OptimizerSettings.Kind.ADAMW8BIT);

    private final OptimizerSettings.Kind kind;

    Name(OptimizerSettings.Kind kind) {
      this.kind = kind;
    }
  }

  OptimizerSettings settings(
      double weightDecay, double layerDecay, Map<String, Double> rateFactors) {
    return new OptimizerSettings(optimizer.kind, momentum, weightDecay, layerDecay, rateFactors);
  }

  /** The same as options, where they are not the default. */
  String options() {
    String momentumOption = momentum == 0 ? "" : " --momentum " + momentum;
    return optimizer == Name.adamw ? "" : " --optimizer " + optimizer.name() + momentumOption;
  }

  void put(ObjectNode result) {
    result.put("optimizer", optimizer.name()).put("momentum", momentum);
  }

  /** As people read it. */
  @Override
  public String toString() {
    return momentum == 0 ? optimizer.name() : optimizer + ", momentum " + momentum;
  }
}

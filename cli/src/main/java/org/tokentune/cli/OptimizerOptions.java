package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import org.tokentune.BadSettingsException;
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

  @Option(
      names = "--nesterov",
      description = "For sgd with --momentum: Nesterov's momentum, as PyTorch has it.")
  private boolean nesterov;

  @Option(
      names = "--betas",
      paramLabel = "BETA1,BETA2",
      split = ",",
      hideParamSyntax = true,
      description = {
        "For adamw, adamw8bit and lion: the shares of the running means that a step keeps; default",
        "0.9,0.999, for lion 0.9,0.99."
      })
  private List<Double> betas = List.of();

  @Option(
      names = "--epsilon",
      paramLabel = "NUMBER",
      description =
          "For adamw and adamw8bit: added to the root of the mean of squares; default 1e-8.")
  private Double epsilon;

  @Option(
      names = "--decay-rate",
      paramLabel = "POWER",
      description = {
        "For adafactor: the power of the step's number that is the share of its squares in their",
        "running mean; default -0.8."
      })
  private Double decayRate;

  OptimizerSettings settings(
      double weightDecay, double layerDecay, Map<String, Double> rateFactors) {
    if (epsilon != null && epsilon == 0) { // in the settings the usual one
      throw BadSettingsException.of("epsilon", "must be above 0, got %s.", epsilon);
    }
    if (decayRate != null && decayRate == 0) {
      throw BadSettingsException.of("decayRate", "must be below 0, got %s.", decayRate);
    }
    return new OptimizerSettings(
        optimizer,
        momentum,
        weightDecay,
        layerDecay,
        rateFactors,
        betas,
        epsilon == null ? 0 : epsilon,
        nesterov,
        decayRate == null ? 0 : decayRate);
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
    result.put("nesterov", nesterov).put("epsilon", epsilon).put("decay_rate", decayRate);
    if (betas.isEmpty()) {
      result.putNull("betas");
    } else {
      betas.forEach(result.putArray("betas")::add);
    }
  }

  /** As people read it. */
  @Override
  public String toString() {
    return momentum == 0 ? optimizer.toString() : optimizer + ", momentum " + momentum;
  }
}

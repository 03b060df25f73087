package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;

/**
 * The optimizer, and how it treats parameters.
 *
 * @param momentum of SGD; 0: none
 * @param weightDecay of matrices, not of biases and norms
 * @param layerDecay the factor of the learning rate from each layer to the one below: 1 above the
 *     layers, {@code layerDecay} for the top layer, and smallest for the embeddings (as in BEiT:
 *     Bao et al., 2022)
 * @param rateFactors further factors, by parameters as {@link Trainable} names them
 */
public record OptimizerSettings(
    Kind kind,
    double momentum,
    double weightDecay,
    double layerDecay,
    Map<String, Double> rateFactors) {

  /** The optimizers. */
  public enum Kind {
    /** State: two floats per element of a trained parameter. */
    ADAMW,
    /** State: one float per element with momentum, none without. */
    SGD,
    /** State: one float for each row and column of a matrix. */
    ADAFACTOR,
    /** State: one float per element. */
    LION,
    /** Two bytes and, for each 256 numbers, two floats. */
    ADAMW8BIT;

    /** The name in lower case, as on the command line. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public OptimizerSettings {
    required(kind, "kind");
    required(rateFactors, "rateFactors");

    if (!(momentum >= 0 && momentum < 1)) {
      throw BadSettingsException.of(
          "momentum", "must be at least 0 and below 1, got %s.", momentum);
    }
    if (momentum > 0 && kind != Kind.SGD) {
      throw BadSettingsException.of("momentum", "is only for sgd, got %s for %s.", momentum, kind);
    }
    if (!(weightDecay >= 0) || Double.isInfinite(weightDecay)) {
      throw BadSettingsException.of(
          "weightDecay", "must be at least 0 and finite, got %s.", weightDecay);
    }
    if (!(layerDecay > 0 && layerDecay <= 1)) {
      throw BadSettingsException.of(
          "layerDecay", "must be above 0 and at most 1, got %s.", layerDecay);
    }
    rateFactors.forEach(
        (pattern, factor) -> {
          if (!(factor > 0) || Double.isInfinite(factor)) {
            throw BadSettingsException.of(
                "rateFactors", "must be above 0 and finite, got %s for %s.", factor, pattern);
          }
        });
    rateFactors = Collections.unmodifiableMap(new LinkedHashMap<>(rateFactors));
  }

  /** AdamW with the same learning rate everywhere. */
  public static OptimizerSettings adamW(double weightDecay) {
    return new OptimizerSettings(Kind.ADAMW, 0, weightDecay, 1, Map.of());
  }

  /** The same settings of another optimizer. */
  public OptimizerSettings withKind(Kind other) {
    return new OptimizerSettings(other, momentum, weightDecay, layerDecay, rateFactors);
  }

  /** The same with momentum, which only SGD has. */
  public OptimizerSettings withMomentum(double share) {
    return new OptimizerSettings(kind, share, weightDecay, layerDecay, rateFactors);
  }

  /** The same with another weight decay. */
  public OptimizerSettings withWeightDecay(double rate) {
    return new OptimizerSettings(kind, momentum, rate, layerDecay, rateFactors);
  }

  /** The same with another factor from each layer to the one below. */
  public OptimizerSettings withLayerDecay(double factor) {
    return new OptimizerSettings(kind, momentum, weightDecay, factor, rateFactors);
  }

  /** The same with other factors of the learning rate, by parameters. */
  public OptimizerSettings withRateFactors(Map<String, Double> factors) {
    return new OptimizerSettings(kind, momentum, weightDecay, layerDecay, factors);
  }

  /**
   * The optimizer.
   *
   * @param parameters of the model; only their types and shapes are read
   * @throws BadInputException if a rate factor matches no parameter
   */
  public ParameterOptimizer optimizer(TransformerModel model, Parameters parameters) {
    required(model, "model");
    required(parameters, "parameters");

    Map<String, Double> factors = RateFactors.of(model, layerDecay, rateFactors);
    return new ParameterOptimizer(
        rule(), parameters, ParameterOptimizer.ofMatrices(parameters, weightDecay), factors::get);
  }

  private UpdateRule rule() {
    return switch (kind) {
      case ADAMW -> AdamW.USUAL;
      case SGD -> new Sgd(momentum);
      case ADAFACTOR -> new Adafactor();
      case LION -> new Lion(0.9, 0.99);
      case ADAMW8BIT -> new AdamW8bit(AdamW.USUAL);
    };
  }
}

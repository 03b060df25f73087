package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
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
 * @param betas of AdamW and Lion, as in PyTorch: the shares of the running means that are kept in a
 *     step; empty: 0.9 and 0.999 for AdamW, 0.9 and 0.99 for Lion
 * @param epsilon of AdamW, added to the root of the mean of squares; 0: 1e-8
 * @param nesterov whether SGD's momentum looks a step ahead (Nesterov), as in PyTorch
 * @param decayRate of Adafactor: at step t its second moment keeps {@code 1 - t^decayRate}, as in
 *     transformers; 0: -0.8
 */
public record OptimizerSettings(
    Kind kind,
    double momentum,
    double weightDecay,
    double layerDecay,
    Map<String, Double> rateFactors,
    List<Double> betas,
    double epsilon,
    boolean nesterov,
    double decayRate)
    implements Serializable {

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
    required(betas, "betas");

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
    check(kind, betas);
    boolean adamW = kind == Kind.ADAMW || kind == Kind.ADAMW8BIT;
    if (!(epsilon >= 0) || Double.isInfinite(epsilon) || (epsilon > 0 && !adamW)) {
      throw BadSettingsException.of(
          "epsilon",
          "must be above 0 and finite, and is only for adamw and adamw8bit, got %s for %s.",
          epsilon,
          kind);
    }
    if (nesterov && momentum == 0) {
      throw BadSettingsException.of("nesterov", "is only for sgd with momentum, got %s.", kind);
    }
    if (decayRate != 0 && (!(decayRate < 0 && decayRate >= -1) || kind != Kind.ADAFACTOR)) {
      throw BadSettingsException.of(
          "decayRate",
          "must be at least -1 and below 0, and is only for adafactor, got %s for %s.",
          decayRate,
          kind);
    }
    betas = List.copyOf(betas);
    rateFactors = Collections.unmodifiableMap(new LinkedHashMap<>(rateFactors));
  }

  /** The usual betas, epsilon, momentum without Nesterov, and decay rate. */
  public OptimizerSettings(
      Kind kind,
      double momentum,
      double weightDecay,
      double layerDecay,
      Map<String, Double> rateFactors) {
    this(kind, momentum, weightDecay, layerDecay, rateFactors, List.of(), 0, false, 0);
  }

  private static void check(Kind kind, List<Double> betas) {
    if (betas.isEmpty()) {
      return;
    }
    if (betas.size() != 2 || betas.stream().anyMatch(beta -> !(beta >= 0 && beta < 1))) {
      throw BadSettingsException.of(
          "betas", "must be two numbers, at least 0 and below 1, got %s.", betas);
    }
    if (kind == Kind.SGD || kind == Kind.ADAFACTOR) {
      throw BadSettingsException.of(
          "betas", "are only for adamw, adamw8bit and lion, got %s for %s.", betas, kind);
    }
  }

  /** AdamW with the same learning rate everywhere. */
  public static OptimizerSettings adamW(double weightDecay) {
    return new OptimizerSettings(Kind.ADAMW, 0, weightDecay, 1, Map.of());
  }

  /** The same settings of another optimizer. */
  public OptimizerSettings withKind(Kind other) {
    return new OptimizerSettings(
        other, momentum, weightDecay, layerDecay, rateFactors, betas, epsilon, nesterov, decayRate);
  }

  /** The same with momentum, which only SGD has. */
  public OptimizerSettings withMomentum(double share) {
    return new OptimizerSettings(
        kind, share, weightDecay, layerDecay, rateFactors, betas, epsilon, nesterov, decayRate);
  }

  /** The same with another weight decay. */
  public OptimizerSettings withWeightDecay(double rate) {
    return new OptimizerSettings(
        kind, momentum, rate, layerDecay, rateFactors, betas, epsilon, nesterov, decayRate);
  }

  /** The same with another factor from each layer to the one below. */
  public OptimizerSettings withLayerDecay(double factor) {
    return new OptimizerSettings(
        kind, momentum, weightDecay, factor, rateFactors, betas, epsilon, nesterov, decayRate);
  }

  /** The same with other factors of the learning rate, by parameters. */
  public OptimizerSettings withRateFactors(Map<String, Double> factors) {
    return new OptimizerSettings(
        kind, momentum, weightDecay, layerDecay, factors, betas, epsilon, nesterov, decayRate);
  }

  /** The same with other betas, of AdamW and Lion. */
  public OptimizerSettings withBetas(double first, double second) {
    return new OptimizerSettings(
        kind,
        momentum,
        weightDecay,
        layerDecay,
        rateFactors,
        List.of(first, second),
        epsilon,
        nesterov,
        decayRate);
  }

  /** The same with another epsilon, which only AdamW has. */
  public OptimizerSettings withEpsilon(double value) {
    return new OptimizerSettings(
        kind, momentum, weightDecay, layerDecay, rateFactors, betas, value, nesterov, decayRate);
  }

  /** The same with or without Nesterov's momentum, for SGD that has momentum. */
  public OptimizerSettings withNesterov(boolean ahead) {
    return new OptimizerSettings(
        kind, momentum, weightDecay, layerDecay, rateFactors, betas, epsilon, ahead, decayRate);
  }

  /** The same with another decay rate, which only Adafactor has. */
  public OptimizerSettings withDecayRate(double power) {
    return new OptimizerSettings(
        kind, momentum, weightDecay, layerDecay, rateFactors, betas, epsilon, nesterov, power);
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

  UpdateRule rule() {
    return switch (kind) {
      case ADAMW -> adamW();
      case SGD -> new Sgd(momentum, nesterov);
      case ADAFACTOR -> new Adafactor(decayRate == 0 ? Adafactor.DECAY_RATE : decayRate);
      case LION -> betas.isEmpty() ? new Lion(0.9, 0.99) : new Lion(betas.get(0), betas.get(1));
      case ADAMW8BIT -> new AdamW8bit(adamW());
    };
  }

  private AdamW adamW() {
    AdamW usual = AdamW.USUAL;
    return new AdamW(
        betas.isEmpty() ? usual.beta1() : betas.get(0),
        betas.isEmpty() ? usual.beta2() : betas.get(1),
        epsilon == 0 ? usual.epsilon() : epsilon);
  }
}

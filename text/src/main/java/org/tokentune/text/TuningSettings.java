package org.tokentune.text;

import static org.tokentune.Arguments.required;

import org.tokentune.BadSettingsException;
import org.tokentune.select.RandomTokens;
import org.tokentune.select.TokenAmount;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.RunSettings;

/**
 * How to fine-tune a model of text.
 *
 * @param tokens which tokens carry gradient: {@code all}, a count, or a share such as {@code 25%};
 *     of the latter two {@code span:} before them takes tokens side by side
 * @param minTokens the least number of tokens per text if a share is given
 * @param trainable which parameters train: see {@link org.tokentune.train.Trainable}
 * @param batchSize texts per batch
 * @param run how the run is evaluated and saved
 */
public record TuningSettings(
    String tokens,
    int minTokens,
    String trainable,
    int batchSize,
    Hyperparameters hyperparameters,
    RunSettings run) {

  public TuningSettings {
    required(tokens, "tokens");
    required(trainable, "trainable");
    required(hyperparameters, "hyperparameters");
    required(run, "run");

    if (batchSize < 1) {
      throw BadSettingsException.of("batchSize", "must be at least 1, got %d.", batchSize);
    }
    RandomTokens.parse(tokens, minTokens, true); // rejects invalid tokens early
  }

  /**
   * The selector of {@code tokens}.
   *
   * @param forceFirst whether position 0 is always selected
   */
  TokenSelector selector(boolean forceFirst) {
    return RandomTokens.parse(tokens, minTokens, forceFirst);
  }

  /** A quarter of the tokens, all parameters, 3 epochs at 1e-4, batches of 32. */
  public static TuningSettings defaults() {
    return new TuningSettings(
        "25%",
        TokenAmount.DEFAULT_FLOOR, "all", 32, Hyperparameters.defaults(), RunSettings.defaults());
  }

  static double checkedDropout(double rate) {
    if (!(rate >= 0 && rate < 1)) {
      throw BadSettingsException.of("dropout", "must be at least 0 and below 1, got %s.", rate);
    }
    return rate;
  }

  /** The same with other tokens. */
  public TuningSettings withTokens(String otherTokens) {
    return new TuningSettings(otherTokens, minTokens, trainable, batchSize, hyperparameters, run);
  }

  /** The same with more or fewer tokens at least, where a share is given. */
  public TuningSettings withMinTokens(int least) {
    return new TuningSettings(tokens, least, trainable, batchSize, hyperparameters, run);
  }

  /** The same with other parameters trained. */
  public TuningSettings withTrainable(String parameters) {
    return new TuningSettings(tokens, minTokens, parameters, batchSize, hyperparameters, run);
  }

  /** The same with other hyperparameters. */
  public TuningSettings withHyperparameters(Hyperparameters other) {
    return new TuningSettings(tokens, minTokens, trainable, batchSize, other, run);
  }

  /** The same, run in another way. */
  public TuningSettings withRun(RunSettings other) {
    return new TuningSettings(tokens, minTokens, trainable, batchSize, hyperparameters, other);
  }

  /** The same with other batches. */
  public TuningSettings withBatchSize(int texts) {
    return new TuningSettings(tokens, minTokens, trainable, texts, hyperparameters, run);
  }

  /** The same with more or fewer passes over the data. */
  public TuningSettings withEpochs(int epochs) {
    return withHyperparameters(hyperparameters.withEpochs(epochs));
  }

  /** The same with another learning rate. */
  public TuningSettings withLearningRate(double peak) {
    return withHyperparameters(hyperparameters.withLearningRate(peak));
  }
}

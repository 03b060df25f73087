package org.tokentune.train;

import org.tokentune.BadInputException;

/**
 * How to train, beyond model and data.
 *
 * @param epochs passes over the data
 * @param learningRate the schedule's peak
 * @param weightDecay of matrices
 * @param warmup share of all steps in which the rate rises
 * @param clip largest global norm of the gradients, which are all held until it is known; infinite:
 *     not clipped, and each is applied as soon as it is complete
 * @param memory bytes that a step may take above parameters and optimizer state: more is recomputed
 *     where less would not fit; 0: no limit
 * @param seed of everything random: order, selection, dropout
 */
public record Hyperparameters(
    int epochs,
    double learningRate,
    double weightDecay,
    double warmup,
    double clip,
    long memory,
    long seed) {

  public Hyperparameters {
    if (epochs < 1) {
      throw new BadInputException("%d epochs are none; give 1 or more.", epochs);
    }
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw new BadInputException("A learning rate of %s is not above 0; give one.", learningRate);
    }
    if (!(weightDecay >= 0) || Double.isInfinite(weightDecay)) {
      throw new BadInputException("A weight decay of %s is below 0; give 0 or more.", weightDecay);
    }
    if (memory < 0) {
      throw new BadInputException("A budget of %d bytes cannot be; give more than 0.", memory);
    }
    if (!(warmup >= 0 && warmup < 1) || !(clip > 0)) {
      throw new BadInputException(
          "A warm-up of %s of the steps and gradients clipped to %s cannot be; give 0 to below 1, and above 0.",
          warmup, clip);
    }
  }
}

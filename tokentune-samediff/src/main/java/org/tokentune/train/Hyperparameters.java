package org.tokentune.train;

import org.tokentune.BadInputException;

/**
 * Settings of a training other than its model and data.
 *
 * @param epochs passes over the data
 * @param steps updates of the parameters, over as many epochs as necessary; 0: the steps of the
 *     epochs
 * @param accumulation batches per step, whose gradients are added up as if they were one batch
 * @param learningRate the peak of the schedule
 * @param optimizer the optimizer, and its settings by parameter
 * @param schedule of the learning rate
 * @param clip maximal global norm of the gradients, which are all held until it is known; infinite:
 *     gradients are not clipped, and each is applied as soon as it is complete
 * @param memory what a step stores
 * @param seed of all randomness: order, selection, dropout
 */
public record Hyperparameters(
    int epochs,
    int steps,
    int accumulation,
    double learningRate,
    OptimizerSettings optimizer,
    Schedule schedule,
    double clip,
    MemorySettings memory,
    long seed) {

  public Hyperparameters {
    if (epochs < 1) {
      throw new BadInputException("The number of epochs is %d; give 1 or more.", epochs);
    }
    if (steps < 0) {
      throw new BadInputException("The number of steps is %d; give 1 or more.", steps);
    }
    if (accumulation < 1) {
      throw new BadInputException(
          "The number of batches per step is %d; give 1 or more.", accumulation);
    }
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw new BadInputException("The learning rate is %s; give a number above 0.", learningRate);
    }
    if (!(clip > 0)) {
      throw new BadInputException(
          "The norm to clip gradients to is %s; give a number above 0.", clip);
    }
  }

  /** Defaults for fine-tuning an encoder: AdamW, 3 epochs at 1e-4, clipped to 1. */
  public static Hyperparameters defaults() {
    return new Hyperparameters(
        3,
        0,
        1,
        1e-4,
        OptimizerSettings.adamW(0.01),
        Schedule.linear(0.1),
        1.0,
        MemorySettings.defaults(),
        42);
  }

  /** Returns a copy with another number of epochs. */
  public Hyperparameters withEpochs(int passes) {
    return new Hyperparameters(
        passes, steps, accumulation, learningRate, optimizer, schedule, clip, memory, seed);
  }

  /** Returns a copy with another learning rate. */
  public Hyperparameters withLearningRate(double peak) {
    return new Hyperparameters(
        epochs, steps, accumulation, peak, optimizer, schedule, clip, memory, seed);
  }

  /** The number of steps of a training with this number of batches per epoch. */
  int steps(int batches) {
    return steps > 0 ? steps : epochs * ((batches + accumulation - 1) / accumulation);
  }
}

package org.tokentune.train;

/** Follows a training. */
public interface TrainingListener {

  /**
   * After a step.
   *
   * @param step from 1 to {@code steps}, over all epochs
   * @param tokens unpadded ones of the batch
   */
  default void onStep(int step, int steps, double loss, long tokens) {}

  /** After an epoch, counted from 1, with the scores on the validation rows. */
  default void onEpoch(int epoch, double trainLoss, Scores validation) {}
}

package org.tokentune.cli;

import org.tokentune.datasets.RowSampling;
import org.tokentune.datasets.Split;

/**
 * Rows to train, to validate and to test on.
 *
 * @param sampling of the training rows; null: each of them once in an epoch
 */
record TrainingRows<R>(Split<R> split, RowSampling sampling) {

  /** Rows of which each is trained on once in an epoch. */
  static <R> TrainingRows<R> plain(Split<R> split) {
    return new TrainingRows<>(split, null);
  }
}

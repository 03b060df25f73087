package org.tokentune.objectives;

import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Collects labels and predictions of batches, and scores them. */
public interface Tally {

  /**
   * Adds a batch.
   *
   * @param labels of {@link Objective#labelShape}
   * @param logits [texts or tokens, outputs]; null if the objective does not score them
   * @return the number of labels that count
   */
  long add(INDArray labels, INDArray logits);

  /** The metrics that it scores. */
  Set<Metric> metrics();

  /**
   * Scores the added batches.
   *
   * @param rows that count
   * @param loss mean over them
   */
  Scores scores(long rows, double loss);
}

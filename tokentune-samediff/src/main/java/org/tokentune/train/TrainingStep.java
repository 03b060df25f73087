package org.tokentune.train;

import java.util.List;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;

/**
 * How a training makes its steps: selects tokens, runs forward and backward, and updates the
 * parameters. {@link LocalStep} does so in one process. An implementation that shares a step's
 * batches out sums the counted labels of all parties before it weighs their gradients, selects
 * tokens by the position of a batch in the whole epoch, and drops by its position in the whole
 * training.
 */
public interface TrainingStep extends AutoCloseable {

  /**
   * Where in a training a step is. Selection and dropout depend on nothing else.
   *
   * @param epoch from 0
   * @param batch number of the step's first batch in the epoch, from 0
   * @param step from 0, over all epochs
   * @param seed of the training
   */
  record Position(int epoch, int batch, int step, long seed) {

    /** That of a later batch of the same step. */
    Position next(int batches) {
      return new Position(epoch, batch + batches, step, seed);
    }
  }

  /**
   * What came of a step.
   *
   * @param loss mean over the counted labels; 0 without any
   * @param counted labels that the loss counts
   * @param tokens of the texts, without padding
   * @param nonFinite batches whose loss or gradients are not finite; if there are any, nothing was
   *     updated
   */
  record Result(double loss, long counted, long tokens, List<MultiDataSet> nonFinite) {}

  /**
   * Plans the largest batch before the first step.
   *
   * @throws BadInputException if the memory budget is too small for it
   */
  void check(MultiDataSet batch, Position position);

  /**
   * One step on several batches, as if they were one. Nothing is updated without any label, or
   * where the loss or the norm of the gradients is not finite.
   *
   * @param batches ids, attention mask and token types, INT32 [batch, length], and labels
   */
  Result run(List<MultiDataSet> batches, Position position, double learningRate);

  /** What updates the parameters; training checkpoints hold its state. */
  ParameterOptimizer optimizer();

  /** Memory of the largest step so far; null before the first. */
  StepMemoryReport memory();

  /** Bytes of the steps' arena, as allocated. */
  long arenaBytes();

  @Override
  void close();
}

package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Metric;
import org.tokentune.select.TokenSelector;

/**
 * Makes the steps of a training: selects tokens, runs forward and backward, and updates the
 * parameters. {@link LocalStep} does so in one process. An implementation that distributes the
 * batches of a step must add up the weights of all workers before it weights their gradients,
 * select tokens by the position of a batch in the whole epoch, and seed dropout by its position in
 * the whole training.
 */
public interface TrainingStep extends AutoCloseable {

  /** Creates what makes the steps of a training; {@code LocalStep::new} is one. */
  @FunctionalInterface
  interface Factory {

    /**
     * Creates it.
     *
     * @param parameters changed in place
     * @param trainable the names of those that train
     */
    TrainingStep create(
        TransformerModel model,
        Parameters parameters,
        Predicate<String> trainable,
        TokenSelector selector,
        Hyperparameters settings);
  }

  /**
   * The position of a step in a training. Selection and dropout depend on nothing else.
   *
   * @param epoch from 0
   * @param batch number of the step's first batch in the epoch, from 0
   * @param step from 0, over all epochs
   * @param seed of the training
   */
  record Position(int epoch, int batch, int step, long seed) {

    /** The position of a later batch of the same step. */
    Position next(int batches) {
      return new Position(epoch, batch + batches, step, seed);
    }
  }

  /**
   * A step that is to be made.
   *
   * @param batches as {@link #run(List, Position, double)} takes them
   */
  record Work(List<MultiDataSet> batches, Position position, double learningRate) {}

  /**
   * The result of a step.
   *
   * @param loss weighted mean over the labels that count; 0 if there are none
   * @param weight of these labels: their number, or with class weights the sum of their weights
   * @param tokens of the texts, without padding
   * @param nonFinite batches whose loss or gradients are not finite; if there are any, nothing was
   *     updated, except that {@link Hyperparameters.ClipBy#TENSOR} and {@code LAST} leave out only
   *     the parameters whose gradient is not finite, and in steps that are made at once other
   *     machines may have updated theirs
   * @param metrics of the batches before the update; none unless the task {@link
   *     org.tokentune.objectives.Objective#scoresSteps scores steps}
   */
  record Result(
      double loss,
      double weight,
      long tokens,
      List<MultiDataSet> nonFinite,
      Map<Metric, Double> metrics) {}

  /**
   * Plans the largest batch before the first step.
   *
   * @throws BadInputException if the memory budget is too small for it
   */
  void check(MultiDataSet batch, Position position);

  /**
   * Makes one step on several batches, as if they were one. Nothing is updated if there are no
   * labels, or if the loss or the norm of the gradients is not finite.
   *
   * @param batches ids, attention mask and token types, INT32 [batch, length], and labels
   */
  Result run(List<MultiDataSet> batches, Position position, double learningRate);

  /**
   * The number of steps that are made at once, as their results are known after the last one only.
   * Fewer are made at once before an evaluation, a checkpoint and the end of an epoch.
   */
  default int stretch() {
    return 1;
  }

  /**
   * Whether the result depends on which steps are made at once. If it does, none of them can be
   * passed over because of a loss that is not finite.
   */
  default boolean dependsOnStretches() {
    return stretch() > 1;
  }

  /**
   * Makes several steps, at most {@link #stretch()}.
   *
   * @return their results, in order, perhaps only up to the first that is not finite
   */
  default List<Result> run(List<Work> steps) {
    required(steps, "steps");

    return steps.stream()
        .map(step -> run(step.batches(), step.position(), step.learningRate()))
        .toList();
  }

  /**
   * What the result depends on besides the training's own settings; empty where it is that of one
   * machine. A training that depends on something else does not resume from its checkpoints.
   */
  default String settings() {
    return "";
  }

  /** Updates the parameters; training checkpoints contain its state. */
  ParameterOptimizer optimizer();

  /** Memory of the largest step so far; null before the first. */
  StepMemoryReport memory();

  /** The allocated bytes of the arena. */
  long arenaBytes();

  @Override
  void close();
}

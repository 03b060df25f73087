package org.tokentune.train;

import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.plan.OptimizerStep;

/** How an optimizer changes one parameter by its gradient. What is kept between steps is given. */
interface UpdateRule {

  /**
   * An array that is kept between steps, 0 at first.
   *
   * @param name what it holds, as PyTorch or bitsandbytes call it
   */
  record StateArray(String name, DataType type, long... shape) {

    static StateArray like(String name, INDArray parameter) {
      return new StateArray(name, parameter.dataType(), parameter.shape());
    }

    long bytes() {
      return Arrays.stream(shape).reduce(type.width(), (a, b) -> a * b);
    }

    INDArray zeros() {
      return Nd4j.zeros(type, shape);
    }
  }

  /**
   * One parameter's part of a step.
   *
   * @param parameter the rows to be changed, in place
   * @param gradient of these rows; may be overwritten
   * @param firstRow number of the first of them
   * @param state the whole parameter's, as {@link #state} lists it
   * @param rate of learning
   * @param step 1 at the first step
   */
  record Change(
      INDArray parameter,
      INDArray gradient,
      long firstRow,
      List<INDArray> state,
      double rate,
      double weightDecay,
      int step) {

    /** The rows of a state array of the parameter's shape. */
    INDArray rows(int array) {
      return OptimizerStep.rows(state.get(array), firstRow, gradient);
    }

    /** What a decay apart from the gradient leaves of the parameter. */
    double kept() {
      return 1 - rate * weightDecay;
    }
  }

  /** What is kept for a parameter; only its type and shape are read. */
  List<StateArray> state(INDArray parameter);

  /** Whether a change must be of the whole parameter. */
  default boolean wholeGradients() {
    return false;
  }

  void apply(Change change);
}

package org.tokentune.train;

import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.plan.internal.OptimizerStep;

/** Updates one parameter from its gradient. The caller keeps the state between steps. */
interface UpdateRule {

  /**
   * An array of state, initially 0.
   *
   * @param name its name in PyTorch or bitsandbytes
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
   * Makes the step of one parameter.
   *
   * @param parameter the rows to update, in place
   * @param gradient of these rows; may be overwritten
   * @param firstRow number of the first row
   * @param state of the whole parameter, as {@link #state} lists it
   * @param rate the learning rate
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

    /** The rows of a state array that has the shape of the parameter. */
    INDArray rows(int array) {
      return OptimizerStep.rows(state.get(array), firstRow, gradient);
    }

    /** The factor by which decoupled decay shrinks the parameter. */
    double kept() {
      return 1 - rate * weightDecay;
    }
  }

  /** The state for a parameter, of which only type and shape are read. */
  List<StateArray> state(INDArray parameter);

  /** Whether a step must update the whole parameter at once. */
  default boolean wholeGradients() {
    return false;
  }

  void apply(Change change);
}

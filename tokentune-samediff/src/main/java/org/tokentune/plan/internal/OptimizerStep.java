package org.tokentune.plan.internal;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Updates a variable when its gradient is complete and nothing reads the old value any more. */
@FunctionalInterface
public interface OptimizerStep {

  /**
   * Called once per run, when the outputs are available and no variable has been changed.
   *
   * @param outputs by name
   * @return whether this run updates any variables
   */
  default boolean begins(Map<String, INDArray> outputs) {
    return true;
  }

  /**
   * Updates some rows of a variable in place.
   *
   * @param name the variable's name
   * @param variable the variable's array, [rows, ...] or [elements]
   * @param firstRow first of the variable's rows that the gradient covers; 0 if it covers all
   * @param gradient [some rows, ...]; may be overwritten
   */
  void update(String name, INDArray variable, long firstRow, INDArray gradient);

  /** Whether gradients must not be sliced, because the step needs the whole gradient. */
  default boolean wholeGradients() {
    return false;
  }

  /** A view of the rows, dense and in c order, that a gradient covers. */
  static INDArray rows(INDArray array, long firstRow, INDArray gradient) {
    if (array.length() == gradient.length()) {
      return array;
    }
    long offset = array.offset() + firstRow * array.stride(0);
    return Nd4j.create(
        array.data(), gradient.shape(), array.stride(), offset, 'c', array.dataType());
  }
}

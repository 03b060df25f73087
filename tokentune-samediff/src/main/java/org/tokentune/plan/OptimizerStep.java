package org.tokentune.plan;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Changes a variable when its gradient is complete and nothing reads the old value any more. */
@FunctionalInterface
public interface OptimizerStep {

  /**
   * Asked once a run, when the outputs are there and no variable has been changed.
   *
   * @param outputs by name
   * @return whether this run is to update anything
   */
  default boolean begins(Map<String, INDArray> outputs) {
    return true;
  }

  /**
   * Updates rows of a variable in place.
   *
   * @param name the variable's
   * @param variable its array, [rows, ...] or [elements]
   * @param firstRow the gradient is of the variable's rows from this one on: 0 where it is of all
   * @param gradient [some rows, ...]; may be overwritten
   */
  void update(String name, INDArray variable, long firstRow, INDArray gradient);

  /** Whether gradients must come whole, as something is computed over all of each. */
  default boolean wholeGradients() {
    return false;
  }

  /** The rows of an array, dense and in c order, that a gradient is of: a view. */
  static INDArray rows(INDArray array, long firstRow, INDArray gradient) {
    if (array.length() == gradient.length()) {
      return array;
    }
    long offset = array.offset() + firstRow * array.stride(0);
    return Nd4j.create(
        array.data(), gradient.shape(), array.stride(), offset, 'c', array.dataType());
  }
}

package org.tokentune.plan;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Changes a variable when its gradient is complete and nothing reads the old value any more. */
@FunctionalInterface
public interface Updater {

  /**
   * Updates in place.
   *
   * @param name the variable's
   * @param variable its array
   * @param gradient of the same shape; may be overwritten
   */
  void update(String name, INDArray variable, INDArray gradient);
}

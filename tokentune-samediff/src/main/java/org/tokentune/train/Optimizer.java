package org.tokentune.train;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.nn.Parameters;
import org.tokentune.plan.Updater;

/** Changes parameters, in place, by their gradients. */
public interface Optimizer extends Updater {

  /**
   * Begins a step; every parameter that has a gradient is then updated once.
   *
   * @param rate learning rate of the step
   */
  void begin(double rate);

  /** Numbers that are kept between steps for each number of a trained parameter. */
  int stateSize();

  /**
   * A whole step.
   *
   * @param gradients by parameter's name; may be overwritten
   */
  default void step(Parameters parameters, Map<String, INDArray> gradients, double rate) {
    begin(rate);
    gradients.forEach((name, gradient) -> update(name, parameters.get(name), 0, gradient));
  }
}

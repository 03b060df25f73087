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
   * What is kept between steps.
   *
   * @param steps that were made
   * @param arrays by name; not copies
   */
  record State(int steps, Map<String, INDArray> arrays) {}

  /** What is kept between steps: with it, {@link #restore} goes on as if nothing had been. */
  State state();

  /** Takes over what another optimizer of this kind and these settings has kept. */
  void restore(State state);

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

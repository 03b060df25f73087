package org.tokentune.train;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.optimizers.LionStep;

/**
 * Lion (Chen et al., Symbolic discovery of optimization algorithms, 2023): steps of equal size, in
 * the direction of the sign of a mean. Its state is one number per element.
 */
record Lion(double beta1, double beta2) implements UpdateRule {

  @Override
  public List<StateArray> state(INDArray parameter) {
    return List.of(StateArray.like("exp_avg", parameter));
  }

  @Override
  public void apply(Change change) {
    LionStep.run(
        change.parameter(),
        change.gradient(),
        change.rows(0),
        change.rate(),
        beta1,
        beta2,
        change.weightDecay());
  }
}

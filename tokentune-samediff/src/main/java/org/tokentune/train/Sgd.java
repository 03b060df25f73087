package org.tokentune.train;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.optimizers.MomentumStep;
import org.tokentune.ops.internal.optimizers.SgdStep;

/**
 * Gradient descent as {@code torch.optim.SGD} computes it: the weight decay is part of the
 * gradient. With momentum, its state is one number per element; without, it has none.
 *
 * @param momentum the share of the last step's direction; 0 for none
 * @param nesterov whether the direction is that after a further step
 */
record Sgd(double momentum, boolean nesterov) implements UpdateRule {

  @Override
  public List<StateArray> state(INDArray parameter) {
    return momentum == 0 ? List.of() : List.of(StateArray.like("momentum_buffer", parameter));
  }

  @Override
  public void apply(Change change) {
    if (momentum == 0) {
      SgdStep.run(change.parameter(), change.kept(), change.gradient(), change.rate());
    } else {
      MomentumStep.run(
          change.parameter(),
          change.gradient(),
          change.rows(0),
          change.rate(),
          momentum,
          nesterov,
          change.weightDecay());
    }
  }
}

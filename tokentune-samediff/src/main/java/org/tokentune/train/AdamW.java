package org.tokentune.train;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.optimizers.AdamWStep;

/**
 * AdamW with decoupled weight decay (Loshchilov and Hutter, 2019), as {@code torch.optim.AdamW}
 * computes it: the epsilon is added after the bias correction. Its state is two numbers per
 * element.
 */
record AdamW(double beta1, double beta2, double epsilon) implements UpdateRule {

  /** The usual settings for transformers. */
  static final AdamW USUAL = new AdamW(0.9, 0.999, 1e-8);

  @Override
  public List<StateArray> state(INDArray parameter) {
    return List.of(StateArray.like("exp_avg", parameter), StateArray.like("exp_avg_sq", parameter));
  }

  @Override
  public void apply(Change change) {
    AdamWStep.run(
        change.parameter(),
        change.gradient(),
        change.rows(0),
        change.rows(1),
        change.rate(),
        beta1,
        beta2,
        epsilon,
        change.weightDecay(),
        change.step());
  }
}

package org.tokentune.train;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.optimizers.AdafactorStep;

/**
 * Adafactor with a given learning rate (Shazeer and Stern, 2018), as in transformers with {@code
 * relative_step=False, scale_parameter=False}. Its state is one number for each row and each column
 * of a matrix, and for each element of other parameters. An update is clipped by its mean over the
 * whole parameter, so it needs whole gradients.
 *
 * @param decayRate the power of the step that is a new square's share of the second moment
 */
record Adafactor(double decayRate) implements UpdateRule {

  /** The usual one: Shazeer and Stern's. */
  static final double DECAY_RATE = -0.8;

  @Override
  public List<StateArray> state(INDArray parameter) {
    return parameter.rank() == 2
        ? List.of(
            new StateArray("exp_avg_sq_row", parameter.dataType(), parameter.size(0)),
            new StateArray("exp_avg_sq_col", parameter.dataType(), parameter.size(1)))
        : List.of(StateArray.like("exp_avg_sq", parameter));
  }

  @Override
  public boolean wholeGradients() {
    return true;
  }

  @Override
  public void apply(Change change) {
    if (change.state().size() == 2) {
      AdafactorStep.factored(
          change.parameter(),
          change.gradient(),
          change.state().get(0),
          change.state().get(1),
          change.kept(),
          change.rate(),
          Math.pow(change.step(), decayRate));
    } else {
      AdafactorStep.whole(
          change.parameter(),
          change.gradient(),
          change.state().get(0),
          change.kept(),
          change.rate(),
          Math.pow(change.step(), decayRate));
    }
  }
}

package org.tokentune.objectives;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.Losses;

/** Numbers for a text: labels FLOAT [batch, n]. */
final class Regression extends SequenceObjective {

  Regression() {
    super("REGRESS");
  }

  @Override
  public String problemType() {
    return "regression";
  }

  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    SDVariable labels = inputs.labels(inputs.type(), -1, inputs.outputs());
    return Losses.meanSquaredError(logits.reshape(-1), labels.reshape(-1), inputs.kernelMode());
  }

  @Override
  public Tally tally(int outputs) {
    return new ValueTally();
  }

  @Override
  double quality(Scores scores) {
    return -scores.get(Metric.MEAN_SQUARED_ERROR);
  }
}

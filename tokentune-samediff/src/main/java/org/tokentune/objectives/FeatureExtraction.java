package org.tokentune.objectives;

import org.nd4j.autodiff.samediff.SDVariable;

/**
 * The row of a text, as the input of another network: labels are the gradient of the loss of that
 * network, FLOAT [batch, hidden].
 */
final class FeatureExtraction extends TextObjective {

  FeatureExtraction() {
    super("FEATURE_EXTRACTION");
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.POOLED;
  }

  /** The gradient of this loss with respect to the rows equals the labels. */
  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    return logits.mul(inputs.labels(inputs.type(), -1, inputs.outputs())).sum();
  }

  @Override
  public Tally tally(int outputs) {
    throw new IllegalStateException("features are scored by the network that reads them");
  }
}

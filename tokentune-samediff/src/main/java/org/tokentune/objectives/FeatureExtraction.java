package org.tokentune.objectives;

import java.util.List;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A text's row, for another network: labels are the gradient of its loss, FLOAT [batch, hidden].
 */
final class FeatureExtraction extends Objective {

  FeatureExtraction() {
    super("FEATURE_EXTRACTION");
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.POOLED;
  }

  @Override
  public int[][] targets(INDArray labels, int length) {
    return null;
  }

  @Override
  public DataType labelType() {
    return DataType.FLOAT;
  }

  @Override
  public long[] labelShape(long batch, long length, int outputs) {
    return new long[] {batch, outputs};
  }

  @Override
  public Optional<LabelRange> labelRange(long length, int outputs) {
    return Optional.empty();
  }

  @Override
  public INDArray labels(List<float[]> rows, int length) {
    return Nd4j.createFromArray(rows.toArray(float[][]::new));
  }

  /** The gradient of this by the rows is what is given for labels. */
  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    return logits.mul(inputs.labels(inputs.type(), -1, inputs.outputs())).sum();
  }

  @Override
  public Tally tally(int outputs) {
    throw new IllegalStateException("features are scored by the network that reads them");
  }

  @Override
  String architectureSuffix() {
    return null;
  }
}

package org.tokentune.objectives;

import java.util.List;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.Losses;

/** Numbers for a text: labels FLOAT [batch, n]. */
final class Regression extends Objective {

  Regression() {
    super("REGRESS");
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.TEXT;
  }

  @Override
  public int[][] targets(INDArray labels, int length) {
    return null;
  }

  @Override
  String architectureSuffix() {
    return "ForSequenceClassification";
  }

  @Override
  public String peftTaskType() {
    return "SEQ_CLS";
  }

  @Override
  public String problemType() {
    return "regression";
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

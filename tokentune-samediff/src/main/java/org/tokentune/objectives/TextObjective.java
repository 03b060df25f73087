package org.tokentune.objectives;

import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A task with labels for whole texts, by default values, FLOAT [batch, outputs]. */
abstract class TextObjective extends Objective {

  TextObjective(String name) {
    super(name);
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
  public final int[][] targets(INDArray labels, int length) {
    return null;
  }
}

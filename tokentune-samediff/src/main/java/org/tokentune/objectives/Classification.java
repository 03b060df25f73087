package org.tokentune.objectives;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tokentune.select.TokenSelection;

/** One class of n for a text: labels INT32 [batch]. */
final class Classification extends SequenceObjective {

  Classification() {
    super("CLASSIFY");
  }

  @Override
  public String problemType() {
    return "single_label_classification";
  }

  @Override
  public boolean areClasses() {
    return true;
  }

  @Override
  public DataType labelType() {
    return DataType.INT32;
  }

  @Override
  public long[] labelShape(long batch, long length, int outputs) {
    return new long[] {batch};
  }

  @Override
  public Optional<LabelRange> labelRange(long length, int outputs) {
    return Optional.of(new LabelRange(0, outputs, "label"));
  }

  @Override
  public INDArray labels(List<float[]> rows, int length) {
    return Nd4j.createFromArray(rows.toArray(float[][]::new)).reshape(-1).castTo(DataType.INT32);
  }

  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    SDVariable labels = inputs.labels(DataType.INT32, -1);
    return crossEntropy(inputs, logits, labels);
  }

  @Override
  public double weight(
      INDArray labels, TokenSelection selection, int[][] targets, LossSettings loss) {
    return Arrays.stream(labels.toIntVector()).mapToDouble(loss::weight).sum();
  }

  @Override
  public Tally tally(int outputs) {
    return new ClassTally(this, outputs);
  }

  @Override
  public INDArray predictions(INDArray logits) {
    return Transforms.softmax(logits);
  }

  @Override
  public double[] predictions(double[] logits) {
    return softmax(logits);
  }

  private static double[] softmax(double[] logits) {
    double most = Arrays.stream(logits).max().orElseThrow();
    double[] powers = Arrays.stream(logits).map(logit -> Math.exp(logit - most)).toArray();
    double sum = Arrays.stream(powers).sum();
    return Arrays.stream(powers).map(power -> power / sum).toArray();
  }

  @Override
  public int[] chosen(double[] probabilities) {
    // The first one if several are equal.
    return new int[] {
      IntStream.range(0, probabilities.length)
          .boxed()
          .max(
              Comparator.comparingDouble((Integer i) -> probabilities[i])
                  .thenComparing(Comparator.reverseOrder()))
          .orElseThrow()
    };
  }

  @Override
  public float[] encode(int[] numbers, int outputs) {
    return new float[] {numbers[0]};
  }
}

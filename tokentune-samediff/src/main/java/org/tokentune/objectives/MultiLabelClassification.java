package org.tokentune.objectives;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tokentune.ops.Losses;

/** Any of n labels for a text: labels FLOAT [batch, n], 1 for each that applies. */
final class MultiLabelClassification extends SequenceObjective {

  MultiLabelClassification() {
    super("MULTILABEL");
  }

  @Override
  public String problemType() {
    return "multi_label_classification";
  }

  @Override
  public boolean areClasses() {
    return true;
  }

  @Override
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    SDVariable labels = inputs.labels(inputs.type(), -1, inputs.outputs());
    LossSettings loss = inputs.lossSettings();
    SDVariable weights = loss.weights(inputs);
    if (loss.focalGamma() > 0) {
      return Losses.binaryFocal(logits, labels, weights, loss.focalGamma());
    }
    return weights == null
        ? Losses.binaryCrossEntropy(logits, labels, inputs.kernelMode())
        : Losses.weightedBinaryCrossEntropy(logits, labels, weights);
  }

  @Override
  public Tally tally(int outputs) {
    return new FlagTally(outputs);
  }

  @Override
  public INDArray predictions(INDArray logits) {
    return Transforms.sigmoid(logits);
  }

  @Override
  public double[] predictions(double[] logits) {
    return Arrays.stream(logits).map(logit -> 1 / (1 + Math.exp(-logit))).toArray();
  }

  @Override
  public int[] chosen(double[] probabilities) {
    return IntStream.range(0, probabilities.length).filter(i -> probabilities[i] > 0.5).toArray();
  }

  @Override
  public float[] encode(int[] numbers, int outputs) {
    float[] flags = new float[outputs];
    for (int number : numbers) {
      flags[number] = 1;
    }
    return flags;
  }

  @Override
  public List<String> split(String label) {
    return Arrays.stream(label.split("[,;|]", -1))
        .map(String::strip)
        .filter(part -> !part.isEmpty())
        .toList();
  }
}

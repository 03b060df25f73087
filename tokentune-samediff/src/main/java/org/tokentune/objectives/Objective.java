package org.tokentune.objectives;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.Losses;
import org.tokentune.select.TokenSelection;

/**
 * The training objective of a model's head. A task is a subclass, and a constant in {@link
 * Objectives}. The class defines the labels, the tokens that must be selected, the loss, the scores
 * of predictions, and the names of the head in Hugging Face and PEFT.
 *
 * <p>Source of the names: transformers 5.24's {@code AutoModelFor...} classes and {@code
 * problem_type}, PEFT's {@code TaskType}.
 */
public abstract class Objective {

  /** The rows that a head reads, and the width of its output. */
  public enum HeadShape {
    /** From one row per text to the outputs. */
    TEXT,
    /** From the row of every token to the outputs. */
    TOKENS,
    /** From the row of every token to the vocabulary. */
    VOCABULARY,
    /** One row per text, unchanged. */
    POOLED,
    /** One vector per text, as the model's sentence-transformers modules make it. */
    SENTENCE
  }

  /**
   * The valid labels, if they are integers: from {@code least} to {@code end - 1}.
   *
   * @param least the smallest
   * @param end one more than the largest
   * @param what describes a label, for messages
   */
  public record LabelRange(long least, long end, String what) {}

  private final String name;

  /**
   * @param name in training checkpoints, which never changes
   */
  Objective(String name) {
    this.name = name;
  }

  @JsonCreator
  static Objective named(String name) {
    return Objectives.named(name);
  }

  /** The name in training checkpoints. */
  @JsonValue
  @Override
  public final String toString() {
    return name;
  }

  /** What users call the task: {@code classify}, {@code qa}. */
  public String shortName() {
    return name.toLowerCase(Locale.ROOT);
  }

  /** Settings that belong to the task itself; empty if it has none. */
  public String settings() {
    return "";
  }

  /** The loss of vectors of texts; empty for other tasks. */
  public Optional<EmbeddingLoss> embeddingLoss() {
    return Optional.empty();
  }

  /** The inputs and outputs of the head. */
  public abstract HeadShape headShape();

  /** Whether the head gives the next token after every token, as that of a decoder does. */
  public boolean isCausal() {
    return false;
  }

  /** Whether the head reads every token rather than one row per text. */
  public final boolean perToken() {
    return headShape() == HeadShape.TOKENS || headShape() == HeadShape.VOCABULARY;
  }

  /**
   * The number of outputs of the head.
   *
   * @param classes in the data
   * @param vocabulary of the model
   */
  public int outputs(int classes, int vocabulary) {
    return headShape() == HeadShape.VOCABULARY ? vocabulary : classes;
  }

  /** Whether labels are names, each of which has an output. */
  public boolean areClasses() {
    return false;
  }

  /** Whether the loss and the scores also read tokens that are not selected. */
  public boolean readsFrozen() {
    return false;
  }

  /**
   * The type of labels: {@code INT32} for numbers of classes or positions, {@code FLOAT} for
   * values.
   */
  public abstract DataType labelType();

  /** The shape of the labels of a batch. */
  public abstract long[] labelShape(long batch, long length, int outputs);

  /** The range of labels; empty if they are values. */
  public abstract Optional<LabelRange> labelRange(long length, int outputs);

  /**
   * Joins the labels of rows into those of a batch.
   *
   * @param rows the labels of each text
   * @param length the number of tokens in the longest text
   */
  public abstract INDArray labels(List<float[]> rows, int length);

  /**
   * The label of each token, or a mark that it must be selected.
   *
   * @param labels of a batch
   * @return [batch][length] as {@link org.tokentune.select.TokenSelector} takes it; null if a text
   *     has one label
   */
  public abstract int[][] targets(INDArray labels, int length);

  /**
   * The weight of a batch among those of a step, by which its mean loss is multiplied: the sum of
   * the weights of the labels that the loss counts; without class weights, their number.
   *
   * @param labels of the batch
   * @param targets as {@link #targets} returns them
   */
  public double weight(
      INDArray labels, TokenSelection selection, int[][] targets, LossSettings loss) {
    return labels.size(0);
  }

  /**
   * Adds the loss of a batch, a scalar, to the graph.
   *
   * @param logits of the selected tokens, [batch * k, outputs], or of the texts, [batch, outputs]
   */
  public abstract SDVariable loss(LossInputs inputs, SDVariable logits);

  /** The softmax cross entropy that the settings ask for. */
  static SDVariable crossEntropy(LossInputs inputs, SDVariable logits, SDVariable labels) {
    LossSettings loss = inputs.lossSettings();
    if (loss.focalGamma() > 0) {
      return Losses.softmaxFocal(
          logits, inputs.outputs(), labels, loss.weights(inputs), loss.focalGamma());
    }
    return Losses.softmaxCrossEntropy(
        logits,
        inputs.outputs(),
        labels,
        loss.weights(inputs),
        loss.labelSmoothing(),
        inputs.kernelMode());
  }

  /** Makes a tally, which collects labels and predictions and scores them. */
  public abstract Tally tally(int outputs);

  /**
   * Whether scores are computed from the logits, or from what {@link #scored} names, rather than
   * only from the loss.
   */
  public boolean scoresLogits() {
    return true;
  }

  /** Whether the steps of a training are scored, too. */
  public boolean scoresSteps() {
    return false;
  }

  /** Whether the loss is that of tokens, whose exponential is a perplexity. */
  public boolean hasPerplexity() {
    return false;
  }

  /** The name in the graph of what is scored, if {@link #scoresLogits}. */
  public String scored() {
    return "logits";
  }

  /** A value by which models are compared; larger is better. */
  double quality(Scores scores) {
    return scoresLogits() ? scores.accuracy() : -scores.loss();
  }

  /** Converts logits [rows, outputs] to probabilities or values. */
  public INDArray predictions(INDArray logits) {
    return logits;
  }

  /** Converts the logits of one text to probabilities or values. */
  public double[] predictions(double[] logits) {
    return logits;
  }

  /**
   * The outputs that are predicted; none if they are values.
   *
   * @param probabilities [outputs]
   */
  public int[] chosen(double[] probabilities) {
    return new int[0];
  }

  /**
   * Encodes the label of a text, as {@link #labels} takes it.
   *
   * @param numbers of the classes
   * @param outputs of the head
   */
  public float[] encode(int[] numbers, int outputs) {
    throw new IllegalStateException(this + " has no classes");
  }

  /** Splits a label in a data file into its parts. */
  public List<String> split(String label) {
    return List.of(label);
  }

  /**
   * What transformers' names of models with this head end with, after the name of the family:
   * {@code ForSequenceClassification}; null if there are none.
   */
  public String classSuffix() {
    return null;
  }

  /** {@code problem_type} in transformers; null if a task has none. */
  public String problemType() {
    return null;
  }

  /** {@code task_type} in PEFT; null if a task has none. */
  public String peftTaskType() {
    return null;
  }
}

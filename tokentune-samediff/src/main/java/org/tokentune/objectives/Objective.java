package org.tokentune.objectives;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.select.TokenSelection;

/**
 * What a model's head is trained for. A task is one subclass, and a constant in {@link Objectives}:
 * the class says which labels it takes, which tokens must be selected, what the loss is, how
 * predictions are scored, and what Hugging Face and PEFT call the head.
 *
 * <p>Source of the names: transformers 5.24's {@code AutoModelFor...} classes and {@code
 * problem_type}, PEFT's {@code TaskType}.
 */
public abstract class Objective {

  /** Which rows a head reads, and how wide its output is. */
  public enum HeadShape {
    /** One row of a text to the outputs. */
    TEXT,
    /** Every token's row to the outputs. */
    TOKENS,
    /** Every token's row to the vocabulary. */
    VOCABULARY,
    /** One row of a text, as it is. */
    POOLED
  }

  /**
   * The whole numbers that labels may be.
   *
   * @param least the smallest
   * @param end one more than the largest
   * @param what a label is, for messages
   */
  public record LabelRange(long least, long end, String what) {}

  private final String name;

  /**
   * @param name in training checkpoints, which stays as it is
   */
  Objective(String name) {
    this.name = name;
  }

  @JsonCreator
  static Objective named(String name) {
    return Objectives.named(name);
  }

  /** Its name in training checkpoints. */
  @JsonValue
  @Override
  public final String toString() {
    return name;
  }

  /** What users call the task: {@code classify}, {@code qa}. */
  public String shortName() {
    return name.toLowerCase(Locale.ROOT);
  }

  /** What the head reads and gives. */
  public abstract HeadShape headShape();

  /** Whether the head reads every token, and not one row of a text. */
  public final boolean perToken() {
    return headShape() == HeadShape.TOKENS || headShape() == HeadShape.VOCABULARY;
  }

  /**
   * Outputs of the head.
   *
   * @param classes that the data tell apart
   * @param vocabulary of the model
   */
  public int outputs(int classes, int vocabulary) {
    return headShape() == HeadShape.VOCABULARY ? vocabulary : classes;
  }

  /** Whether labels are names, which the outputs stand for one by one. */
  public boolean areClasses() {
    return false;
  }

  /** Whether the loss and the scores also read tokens that are not selected. */
  public boolean readsFrozen() {
    return false;
  }

  /**
   * {@code INT32} for labels that are numbers of classes or positions, {@code FLOAT} for values.
   */
  public abstract DataType labelType();

  /** Shape of a batch's labels. */
  public abstract long[] labelShape(long batch, long length, int outputs);

  /** What labels may be; empty where they are values. */
  public abstract Optional<LabelRange> labelRange(long length, int outputs);

  /**
   * A batch's labels of those of its rows.
   *
   * @param rows a text's labels each
   * @param length tokens of the longest text
   */
  public abstract INDArray labels(List<float[]> rows, int length);

  /**
   * What each token has to predict, or that it must be selected.
   *
   * @param labels of a batch
   * @return [batch][length] as {@link org.tokentune.select.TokenSelector} takes it; null where a
   *     text has one label
   */
  public abstract int[][] targets(INDArray labels, int length);

  /** Labels that the loss counts, of a batch's texts. */
  public long counted(int texts, TokenSelection selection, int[][] targets) {
    return targets == null ? texts : selection.labelled(targets);
  }

  /**
   * The loss of a batch: a scalar.
   *
   * @param logits of the selected tokens, [batch * k, outputs], or of the texts, [batch, outputs]
   */
  public abstract SDVariable loss(LossInputs inputs, SDVariable logits);

  /** Collects labels and predictions to be scored. */
  public abstract Tally tally(int outputs);

  /** Whether scores come from the logits; otherwise from the loss alone. */
  public boolean scoresLogits() {
    return true;
  }

  /** Says which of two models is better, the larger being better. */
  double quality(Scores scores) {
    return scoresLogits() ? scores.accuracy() : -scores.loss();
  }

  /** Probabilities or values of logits [rows, outputs]. */
  public INDArray predictions(INDArray logits) {
    return logits;
  }

  /** The same of one text's logits. */
  public double[] predictions(double[] logits) {
    return logits;
  }

  /**
   * Which outputs are predicted; none where they are values.
   *
   * @param probabilities [outputs]
   */
  public int[] chosen(double[] probabilities) {
    return new int[0];
  }

  /**
   * A text's label, as {@link #labels} takes it.
   *
   * @param numbers of its classes
   * @param outputs of the head
   */
  public float[] encode(int[] numbers, int outputs) {
    throw new IllegalStateException(this + " has no classes");
  }

  /** Parts of a text's label, as a data file has it. */
  public List<String> split(String label) {
    return List.of(label);
  }

  /** Transformers' classes of models with this head, by {@code model_type}; none if it has none. */
  abstract Map<String, String> architectures();

  /** Encoders' classes of a head, whose names end alike. */
  static Map<String, String> encoders(String suffix) {
    return Map.of(
        "bert",
        "Bert" + suffix,
        "roberta",
        "Roberta" + suffix,
        "distilbert",
        "DistilBert" + suffix);
  }

  /** {@code problem_type} in transformers; null where a task has none. */
  public String problemType() {
    return null;
  }

  /** {@code task_type} in PEFT; null where a task has none. */
  public String peftTaskType() {
    return null;
  }

  /**
   * Transformers' class of a model with this head, which a {@code config.json} has under {@code
   * architectures}; empty where there is none.
   *
   * @param modelType the configuration's {@code model_type}
   */
  public final Optional<String> architecture(String modelType) {
    return Optional.ofNullable(architectures().get(modelType));
  }
}

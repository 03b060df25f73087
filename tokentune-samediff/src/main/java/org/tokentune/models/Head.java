package org.tokentune.models;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.Limits;
import org.tokentune.formats.WeightSource;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/**
 * The head of a model.
 *
 * @param outputs number of classes, labels or values; 2 for answers, start and end; the size of the
 *     vocabulary for a language model, and the hidden size for feature extraction
 * @param pooling for tasks over whole texts
 * @param sentence what makes vectors of texts; null for other tasks
 */
public record Head(Objective task, int outputs, Pooling pooling, SentenceModules sentence) {

  /** The name of the question answering head in all families. */
  static final String QA_OUTPUTS = "qa_outputs";

  /** RoBERTa uses the second name for whole texts. */
  private static final List<String> CLASSIFIERS =
      List.of("classifier.weight", "classifier.out_proj.weight", QA_OUTPUTS + ".weight");

  public Head {
    required(task, "task");
    required(pooling, "pooling");

    if ((task.headShape() == Objective.HeadShape.SENTENCE) != (sentence != null)) {
      throw BadSettingsException.of(
          "sentence", "must be given for %s and no other task.", Objectives.EMBED.shortName());
    }
    if (outputs < 1) {
      throw BadSettingsException.of("outputs", "must be at least 1, got %d.", outputs);
    }
  }

  /** A head of any task but sentence vectors. */
  public Head(Objective task, int outputs, Pooling pooling) {
    this(task, outputs, pooling, null);
  }

  /**
   * Vectors of texts, as sentence-transformers makes them.
   *
   * @param hidden size of the encoder's rows
   */
  public static Head ofSentences(Objective task, SentenceModules sentence, int hidden) {
    required(sentence, "sentence");

    return new Head(task, sentence.width(hidden), Pooling.FIRST, sentence);
  }

  /** The number of outputs of the classifier in the weights; empty if there is none. */
  public static OptionalInt outputs(WeightSource weights) {
    required(weights, "weights");

    return CLASSIFIERS.stream()
        .filter(weights.names()::contains)
        .mapToInt(name -> outputs(name, weights))
        .findFirst();
  }

  private static int outputs(String name, WeightSource weights) {
    long[] shape = weights.shape(name);
    if (shape.length != 2 || shape[0] < 1 || shape[0] > Limits.SIZE) {
      throw new BadFileException(
          "%s: tensor %s has the shape %s, which is not valid for a classifier; download the model again.",
          weights.origin(), name, Arrays.toString(shape));
    }
    return (int) shape[0];
  }

  /**
   * Returns weights with some of the classifier's outputs, in another order.
   *
   * @param outputs the present numbers of these outputs; null: without the classifier
   */
  public static WeightSource withOutputs(WeightSource weights, int[] outputs) {
    required(weights, "weights");

    return new ClassifierRows(weights, CLASSIFIERS, outputs);
  }

  /** Whether the head reads every token rather than one row per text. */
  public boolean perToken() {
    return task.perToken();
  }

  /** Whether the row of the last token of every text is a part of what is read. */
  public boolean readsLast() {
    return sentence != null && sentence.pooling().contains(SentencePooling.LAST_TOKEN);
  }

  /** Rejects every task except those of decoders: language modelling and feature extraction. */
  void requireCausal() {
    if (task == Objectives.FEATURE_EXTRACTION) {
      if (pooling == Pooling.FIRST) {
        throw new BadSettingsException(
            "The first token of a decoder has seen no other; pool the last one, or the mean.");
      }
    } else if (!task.isCausal()) {
      throw new BadSettingsException(
          "A decoder is a causal language model and does not support %s; use an encoder.", task);
    }
  }
}

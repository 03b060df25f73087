package org.tokentune.models;

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
 * What stands on the model.
 *
 * @param outputs number of classes, labels or regressed numbers; 2 for answers, start and end; the
 *     vocabulary's size for a language model, the hidden size for pooled rows
 * @param pooling for tasks over whole texts
 */
public record Head(Objective task, int outputs, Pooling pooling) {

  /** What marks answers is called so in all families. */
  static final String QA_OUTPUTS = "qa_outputs";

  /** RoBERTa calls it by the second name for whole texts. */
  private static final List<String> CLASSIFIERS =
      List.of("classifier.weight", "classifier.out_proj.weight", QA_OUTPUTS + ".weight");

  /** Outputs of the classifier that weights hold; empty where they hold none. */
  public static OptionalInt outputs(WeightSource weights) {
    return CLASSIFIERS.stream()
        .filter(weights.names()::contains)
        .mapToInt(name -> outputs(name, weights))
        .findFirst();
  }

  private static int outputs(String name, WeightSource weights) {
    long[] shape = weights.shape(name);
    if (shape.length != 2 || shape[0] < 1 || shape[0] > Limits.SIZE) {
      throw new BadFileException(
          "%s: tensor %s has the shape %s, which is no classifier's; get the model again.",
          weights.origin(), name, Arrays.toString(shape));
    }
    return (int) shape[0];
  }

  /**
   * Weights whose classifier has some of its outputs, in another order.
   *
   * @param outputs numbers of those it has now; null: there is no classifier
   */
  public static WeightSource withOutputs(WeightSource weights, int[] outputs) {
    return new ClassifierRows(weights, CLASSIFIERS, outputs);
  }

  /** Whether the head reads every token, and not one row of a text. */
  public boolean perToken() {
    return task.perToken();
  }

  /** Refuses all but language modelling, the only task of decoders. */
  void requireCausal() {
    if (task != Objectives.CAUSAL_LM) {
      throw new BadSettingsException(
          "A decoder is a causal language model and does not do %s; take an encoder.", task);
    }
  }
}

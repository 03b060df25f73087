package org.tokentune.text;

import java.util.List;
import java.util.Map;

/**
 * A model's prediction for a text.
 *
 * @param labels the likeliest class; all labels likelier than not; a tag for every word, empty
 *     where the tokenizer makes nothing of the word or the text was cut before it; or the answer.
 *     Empty for a regressed number, and for a question without an answer
 * @param scores probability of every class or label, or the regressed numbers; empty for tags; for
 *     answers {@link AnswerModel#NO_ANSWER} if the model tells of it, otherwise empty
 * @param cut words at the end that have no tag, as the text was cut before them
 */
public record Prediction(List<String> labels, Map<String, Double> scores, int cut) {

  /** A prediction for a whole text. */
  public Prediction(List<String> labels, Map<String, Double> scores) {
    this(labels, scores, 0);
  }
}

package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.List;
import org.tokentune.select.TokenSelector;

/**
 * A preference in numbers, as the objective of preferences takes it: labels are the log-probability
 * that a reference gives the answer, 0 until it is known, then the tokens of the answer.
 */
public record PreferenceTokens(TokenBatches.Row chosen, TokenBatches.Row rejected) {

  public PreferenceTokens {
    required(chosen, "chosen");
    required(rejected, "rejected");
  }

  /**
   * Makes a row.
   *
   * @param prompt the number of tokens before the answers
   */
  static PreferenceTokens of(int[] chosen, int[] rejected, int prompt) {
    return new PreferenceTokens(side(chosen, prompt), side(rejected, prompt));
  }

  private static TokenBatches.Row side(int[] ids, int prompt) {
    float[] labels = new float[1 + ids.length]; // exact: no vocabulary has 2^24 tokens
    for (int i = 0; i < ids.length; i++) {
      labels[1 + i] = i < prompt ? TokenSelector.NO_LABEL : ids[i];
    }
    return new TokenBatches.Row(ids, new int[ids.length], labels);
  }

  /** The same with the reference's log-probabilities. */
  public PreferenceTokens withReference(float ofChosen, float ofRejected) {
    return new PreferenceTokens(with(chosen, ofChosen), with(rejected, ofRejected));
  }

  private static TokenBatches.Row with(TokenBatches.Row row, float reference) {
    float[] labels = Arrays.copyOf(row.labels(), row.labels().length);
    labels[0] = reference;
    return new TokenBatches.Row(row.ids(), row.typeIds(), labels);
  }

  /** Both texts. */
  public List<TokenBatches.Row> texts() {
    return List.of(chosen, rejected);
  }

  /** The one with more tokens. */
  TokenBatches.Row longer() {
    return chosen.ids().length < rejected.ids().length ? rejected : chosen;
  }
}

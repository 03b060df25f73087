package org.tokentune.text;

import static org.tokentune.Arguments.required;

import java.util.List;

/**
 * What the tokens of a text, or of a pair, have to do with a decision.
 *
 * @param prediction the decision
 * @param label whose logit is explained: the likeliest class or label, or the regressed number's
 *     name
 * @param logit its value
 * @param tokens in order, special tokens included; none for what was cut off
 */
public record Explanation(Prediction prediction, String label, double logit, List<Token> tokens) {

  public Explanation {
    required(prediction, "prediction");
    required(label, "label");
    required(tokens, "tokens");
    tokens = List.copyOf(tokens);
  }

  /**
   * A token.
   *
   * @param piece its part of the text; empty for special tokens
   * @param text 0 for the first text, 1 for the second, -1 for special tokens
   * @param begin chars of its text before it
   * @param end chars of its text up to its end
   * @param gradient times input: above 0, it speaks for the label
   * @param leftOut by how much the logit falls if no token attends to this one; NaN for special
   *     tokens, which are never left out
   */
  public record Token(
      String piece, int text, int begin, int end, double gradient, double leftOut) {}

  /** The tokens that are not special, those whose absence changes the logit most first. */
  public List<Token> strongest() {
    return tokens.stream()
        .filter(token -> token.text() >= 0)
        .sorted((a, b) -> Double.compare(Math.abs(b.leftOut()), Math.abs(a.leftOut())))
        .toList();
  }
}

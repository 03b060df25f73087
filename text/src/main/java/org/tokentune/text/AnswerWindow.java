package org.tokentune.text;

import java.util.List;
import org.tokentune.BadInputException;
import org.tokentune.datasets.SquadQuestion;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;

/**
 * A question with as much of its context as fits beside it, tokenised.
 *
 * @param row its labels: positions of the answer's first and last token, both 0 where it is not
 *     whole in the window; null without answers
 * @param first position of the context's first token in the row
 * @param begins of the context's tokens in the window: Unicode characters of the context before
 *     them
 * @param ends of the same: Unicode characters of the context up to their ends
 */
record AnswerWindow(TokenBatches.Row row, int first, int[] begins, int[] ends) {

  /**
   * The windows of a question: together they hold its whole context.
   *
   * @param answer null where it is not known
   * @param tokenizer that cuts nothing
   * @param longest tokens of a window
   * @param overlap tokens of the context that a window has in common with the one before it; at
   *     most half of those that fit
   * @throws BadInputException if beside the question nothing of the context fits
   */
  static List<AnswerWindow> of(
      String question,
      String context,
      SquadQuestion.Answer answer,
      TextTokenizer tokenizer,
      int longest,
      int overlap) {
    return tokenizer.pairWindows(question, context, longest, overlap).stream()
        .map(
            pair ->
                new AnswerWindow(
                    new TokenBatches.Row(
                        pair.ids(), pair.typeIds(), answer == null ? null : labels(answer, pair)),
                    pair.first(),
                    pair.begins(),
                    pair.ends()))
        .toList();
  }

  private static float[] labels(SquadQuestion.Answer answer, TextTokenizer.Pair pair) {
    int[] begins = pair.begins();
    int[] ends = pair.ends();
    int start = -1;
    int last = -1;
    for (int i = 0; i < begins.length; i++) {
      if (ends[i] > answer.start() && begins[i] < answer.end()) {
        start = start < 0 ? i : start;
        last = i;
      }
    }
    boolean whole = start >= 0 && begins[start] <= answer.start() && ends[last] >= answer.end();
    return whole ? new float[] {pair.first() + start, pair.first() + last} : new float[] {0, 0};
  }

  /**
   * The likeliest answer in the window.
   *
   * @param scores [2][tokens] of the row's tokens as starts and as ends
   * @param most tokens of an answer
   */
  Span best(float[][] scores, int most) {
    Span best = new Span(0, 0, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < begins.length; i++) {
      for (int j = i; j < Math.min(begins.length, i + most); j++) {
        float score = scores[0][first + i] + scores[1][first + j];
        if (score > best.score()) {
          best = new Span(begins[i], ends[j], score);
        }
      }
    }
    return best;
  }

  /**
   * A part of a context, in Unicode characters.
   *
   * @param score the larger, the likelier
   */
  record Span(int begin, int end, float score) {

    /** The text of it. */
    String of(String context) {
      int from = context.offsetByCodePoints(0, begin);
      return context.substring(from, context.offsetByCodePoints(from, end - begin));
    }
  }
}

package org.tokentune.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tokentune.BadDataException;
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
    TextTokenizer.Pair pair = tokenizer.encodePair(question, context);
    int from = pair.first();
    int count = pair.begins().length;
    int after = pair.ids().length - from - count;
    int room = longest - from - after;
    if (room < 1) {
      throw new BadDataException(
          "Beside a question of %d tokens nothing fits into %d; allow longer texts, or shorten it:"
              + " \"%.60s\"",
          from, longest, question);
    }
    List<AnswerWindow> windows = new ArrayList<>();
    int step = room - Math.min(overlap, room / 2);
    for (int begin = 0; begin == 0 || begin + room - step < count; begin += step) {
      windows.add(window(pair, begin, Math.min(count, begin + room), answer));
    }
    return windows;
  }

  private static AnswerWindow window(
      TextTokenizer.Pair pair, int begin, int end, SquadQuestion.Answer answer) {
    int[] begins = Arrays.copyOfRange(pair.begins(), begin, end);
    int[] ends = Arrays.copyOfRange(pair.ends(), begin, end);
    float[] labels = answer == null ? null : labels(answer, pair.first(), begins, ends);
    TokenBatches.Row row =
        new TokenBatches.Row(
            part(pair.ids(), pair, begin, end), part(pair.typeIds(), pair, begin, end), labels);
    return new AnswerWindow(row, pair.first(), begins, ends);
  }

  /**
   * Of values of all tokens those of a window: the question's, its part of the context, the end.
   */
  private static int[] part(int[] values, TextTokenizer.Pair pair, int begin, int end) {
    int after = pair.first() + pair.begins().length;
    int[] part = Arrays.copyOf(values, pair.first() + end - begin + values.length - after);
    System.arraycopy(values, pair.first() + begin, part, pair.first(), end - begin);
    System.arraycopy(values, after, part, pair.first() + end - begin, values.length - after);
    return part;
  }

  private static float[] labels(SquadQuestion.Answer answer, int first, int[] begins, int[] ends) {
    int start = -1;
    int last = -1;
    for (int i = 0; i < begins.length; i++) {
      if (ends[i] > answer.start() && begins[i] < answer.end()) {
        start = start < 0 ? i : start;
        last = i;
      }
    }
    boolean whole = start >= 0 && begins[start] <= answer.start() && ends[last] >= answer.end();
    return whole ? new float[] {first + start, first + last} : new float[] {0, 0};
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

package org.tokentune.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;
import org.tokentune.datasets.SquadQuestion;

/**
 * How right an answer is, as SQuAD 1.1's own script {@code evaluate-v1.1.py} has it: the best over
 * all given answers, case, ASCII's punctuation, articles and white space left aside.
 */
final class AnswerScores {

  private static final Pattern PUNCTUATION = Pattern.compile("\\p{Punct}");
  private static final Pattern ARTICLES =
      Pattern.compile("\\b(a|an|the)\\b", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

  private AnswerScores() {}

  /** 1 or 0: whether the answer is one of those given. */
  static double exactMatch(String answer, List<SquadQuestion.Answer> given) {
    List<String> words = words(answer);
    return best(given, each -> words.equals(words(each)) ? 1 : 0);
  }

  /** The harmonic mean of the shares of the answer's words, and of a given answer's, in both. */
  static double f1(String answer, List<SquadQuestion.Answer> given) {
    List<String> words = words(answer);
    return best(given, each -> f1(words, words(each)));
  }

  private static double best(List<SquadQuestion.Answer> given, ToDoubleFunction<String> score) {
    return given.stream().map(SquadQuestion.Answer::text).mapToDouble(score).max().orElse(0);
  }

  private static double f1(List<String> answer, List<String> given) {
    List<String> rest = new ArrayList<>(given);
    long same = answer.stream().filter(rest::remove).count();
    return 2.0 * same / Math.max(1, answer.size() + given.size());
  }

  static List<String> words(String text) {
    String plain = PUNCTUATION.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("");
    return Arrays.stream(SPACE.split(ARTICLES.matcher(plain).replaceAll(" "), -1))
        .filter(word -> !word.isEmpty())
        .toList();
  }
}

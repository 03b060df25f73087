package org.tokentune.text;

import static org.tokentune.Arguments.required;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.tokentune.datasets.SquadQuestion;

/**
 * Scores of answers to questions of which some have none, in percent, as the official script of
 * SQuAD 2.0 (Rajpurkar et al., 2018) has them: {@code exact}, {@code f1}, {@code total}, the same
 * of questions with ({@code HasAns_}) and without an answer ({@code NoAns_}), and {@code
 * best_exact}, {@code best_f1} with the thresholds at which they are reached.
 */
public final class SquadScores {

  private SquadScores() {}

  /**
   * An answered question.
   *
   * @param answers given by people; none: it has no answer
   * @param prediction empty: there is no answer
   * @param noAnswer the larger, the surer that there is no answer
   */
  public record Answered(List<String> answers, String prediction, double noAnswer) {

    public Answered {
      required(answers, "answers");
      required(prediction, "prediction");

      answers = List.copyOf(answers);
    }

    boolean answerable() {
      return !answers.isEmpty();
    }

    double exact() {
      return empty() ? same(prediction) : AnswerScores.exactMatch(prediction, given());
    }

    double f1() {
      return empty() || AnswerScores.words(prediction).isEmpty()
          ? exactOfEmpty()
          : AnswerScores.f1(prediction, given());
    }

    private double exactOfEmpty() {
      return empty() ? same(prediction) : 0;
    }

    /** Answers without a word do not count. */
    private List<SquadQuestion.Answer> given() {
      return answers.stream()
          .filter(answer -> !AnswerScores.words(answer).isEmpty())
          .map(answer -> new SquadQuestion.Answer(answer, 0))
          .toList();
    }

    private boolean empty() {
      return given().isEmpty();
    }

    private static double same(String prediction) {
      return AnswerScores.words(prediction).isEmpty() ? 1 : 0;
    }
  }

  /**
   * The scores.
   *
   * @param threshold of {@link Answered#noAnswer}, past which a question counts as without an
   *     answer
   */
  public static Map<String, Double> of(List<Answered> rows, double threshold) {
    required(rows, "rows");

    Map<String, Double> scores = new LinkedHashMap<>();
    put(scores, "", rows, threshold);
    List<Answered> with = rows.stream().filter(Answered::answerable).toList();
    List<Answered> without = rows.stream().filter(row -> !row.answerable()).toList();
    if (!with.isEmpty()) {
      put(scores, "HasAns_", with, threshold);
    }
    if (!without.isEmpty()) {
      put(scores, "NoAns_", without, threshold);
    }
    best(scores, "best_exact", rows, Answered::exact);
    best(scores, "best_f1", rows, Answered::f1);
    return scores;
  }

  private static void put(
      Map<String, Double> scores, String prefix, List<Answered> rows, double threshold) {
    scores.put(prefix + "exact", 100 * sum(rows, threshold, Answered::exact) / rows.size());
    scores.put(prefix + "f1", 100 * sum(rows, threshold, Answered::f1) / rows.size());
    scores.put(prefix + "total", (double) rows.size());
  }

  private static double sum(
      List<Answered> rows, double threshold, ToDoubleFunction<Answered> score) {
    return rows.stream()
        .mapToDouble(
            row -> row.noAnswer() > threshold ? row.answerable() ? 0 : 1 : score.applyAsDouble(row))
        .sum();
  }

  /** The best score over all thresholds, and the least threshold that has it. */
  private static void best(
      Map<String, Double> scores,
      String name,
      List<Answered> rows,
      ToDoubleFunction<Answered> score) {
    double now = rows.stream().filter(row -> !row.answerable()).count();
    double best = now;
    double threshold = 0;
    List<Answered> sorted =
        rows.stream().sorted(Comparator.comparingDouble(Answered::noAnswer)).toList();
    for (Answered row : sorted) {
      if (row.answerable()) {
        now += score.applyAsDouble(row);
      } else {
        now -= row.prediction().isEmpty() ? 0 : 1;
      }
      if (now > best) {
        best = now;
        threshold = row.noAnswer();
      }
    }
    scores.put(name, 100 * best / rows.size());
    scores.put(name + "_thresh", threshold);
  }
}

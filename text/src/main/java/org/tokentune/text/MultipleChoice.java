package org.tokentune.text;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.tokentune.BadDataException;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.ChoiceQuestion;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches.Row;

/**
 * Multiple choice by log-likelihood, as EleutherAI's language model evaluation harness defines it
 * (Gao et al., 2021): every choice is scored as what follows {@code Question: ...\nAnswer:}, and
 * the likeliest is the model's answer.
 */
public final class MultipleChoice {

  private MultipleChoice() {}

  /**
   * The scores.
   *
   * @param accuracy share of questions whose likeliest choice is right: the harness's {@code acc}
   * @param normalisedAccuracy the same where each choice's log-likelihood is divided by its
   *     characters: {@code acc_norm}
   */
  public record Result(int questions, double accuracy, double normalisedAccuracy) {}

  /**
   * Asks all questions.
   *
   * @param shots other questions, drawn by the seed, that stand solved before each
   */
  public static Result score(
      LanguageModel model, List<ChoiceQuestion> questions, int shots, long seed) {
    required(model, "model");
    required(questions, "questions");

    if (shots < 0 || shots >= questions.size()) {
      throw new BadSettingsException(
          "%d solved questions cannot be drawn from %d other questions; give fewer shots.",
          shots, questions.size() - 1);
    }
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < questions.size(); i++) {
      String context = context(questions, i, shots, seed);
      for (String choice : questions.get(i).choices()) {
        rows.add(row(model.tokenizer(), context, " " + choice, model.maxLength()));
      }
    }
    double[] all = model.logLikelihoods(rows);
    List<double[]> byQuestion = new ArrayList<>();
    int from = 0;
    for (ChoiceQuestion question : questions) {
      int to = from + question.choices().size();
      byQuestion.add(Arrays.copyOfRange(all, from, to));
      from = to;
    }
    return tally(questions, byQuestion);
  }

  /** Scores the log-likelihoods of every question's choices. */
  static Result tally(List<ChoiceQuestion> questions, List<double[]> logLikelihoods) {
    int right = 0;
    int rightNormalised = 0;
    for (int i = 0; i < questions.size(); i++) {
      ChoiceQuestion question = questions.get(i);
      double[] sums = logLikelihoods.get(i);
      double[] normalised = new double[sums.length];
      for (int c = 0; c < sums.length; c++) {
        String choice = question.choices().get(c);
        normalised[c] = sums[c] / choice.codePointCount(0, choice.length());
      }
      right += greatest(sums) == question.answer() ? 1 : 0;
      rightNormalised += greatest(normalised) == question.answer() ? 1 : 0;
    }
    double count = questions.size();
    return new Result(questions.size(), right / count, rightNormalised / count);
  }

  private static int greatest(double[] values) {
    return IntStream.range(0, values.length).reduce(0, (a, b) -> values[b] > values[a] ? b : a);
  }

  /** The solved questions, each followed by an empty line, and the one that is asked. */
  static String context(List<ChoiceQuestion> questions, int asked, int shots, long seed) {
    List<Integer> others = new ArrayList<>();
    for (int i = 0; i < questions.size(); i++) {
      if (i != asked) {
        others.add(i);
      }
    }
    Collections.shuffle(others, new Random(new SplittableRandom(seed).nextLong() + asked));
    StringBuilder context = new StringBuilder();
    for (int other : others.subList(0, shots)) {
      ChoiceQuestion solved = questions.get(other);
      context.append(prompt(solved)).append(' ').append(solved.choices().get(solved.answer()));
      context.append("\n\n");
    }
    return context.append(prompt(questions.get(asked))).toString();
  }

  private static String prompt(ChoiceQuestion question) {
    return "Question: " + question.question() + "\nAnswer:";
  }

  /**
   * Context and continuation are tokenised together: what comes after the context's own tokens is
   * the continuation, which alone is labelled. Too long a context loses its beginning.
   */
  private static Row row(
      TextTokenizer tokenizer, String context, String continuation, int longest) {
    int prompt = tokenizer.encodePrompt(context).length;
    int[] ids = tokenizer.encodePrompt(context + continuation);
    int dropped = Math.max(0, ids.length - longest);
    if (dropped >= prompt) {
      throw new BadDataException(
          "A choice has more tokens than the model's %d: \"%.60s\"; shorten it.",
          longest, continuation.strip());
    }
    return Row.ofText(Arrays.copyOfRange(ids, dropped, ids.length), prompt - dropped);
  }
}

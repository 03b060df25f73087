package org.tokentune.text;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.RowSampling;
import org.tokentune.datasets.SquadQuestion;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Objectives;
import org.tokentune.objectives.Scores;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Trainer;

/**
 * A model that answers questions with a part of a text. Texts that are too long for it are read in
 * overlapping windows; the part whose start and end score best in any window is the answer.
 *
 * <p>A model that was trained on questions without an answer, as in SQuAD 2.0, also tells how
 * probable it is that there is none: the start and end of such an answer are at position 0, and the
 * least of their scores in any window is compared with that of the best part (Devlin et al., 2019).
 */
public final class AnswerModel implements AutoCloseable {

  /** Tokens of a window by default, if the model takes as many. */
  private static final int LONGEST = 384;

  private static final int OVERLAP = 128;
  private static final int MOST_ANSWER_TOKENS = 30;

  /** Stands nowhere in a context: its labels are position 0. */
  private static final SquadQuestion.Answer NONE = new SquadQuestion.Answer("", -1);

  /** That of a model which no validation chose one for: none is as probable as the best part. */
  private static final double USUAL_THRESHOLD = 0.5;

  /** Metrics by their names in the script of SQuAD 2.0. */
  private static final Map<String, Metric> SCORES =
      Map.of(
          "exact", Metric.EXACT_MATCH,
          "f1", Metric.F1,
          "HasAns_exact", Metric.HAS_ANSWER_EXACT,
          "HasAns_f1", Metric.HAS_ANSWER_F1,
          "NoAns_exact", Metric.NO_ANSWER_EXACT,
          "NoAns_f1", Metric.NO_ANSWER_F1,
          "best_exact", Metric.BEST_EXACT,
          "best_exact_thresh", Metric.BEST_EXACT_THRESHOLD,
          "best_f1", Metric.BEST_F1,
          "best_f1_thresh", Metric.BEST_F1_THRESHOLD);

  /** The score under which {@link Prediction#scores} has the probability of no answer. */
  public static final String NO_ANSWER = "no_answer";

  private final TextModel model;
  private final TextTokenizer tokenizer;
  private final int longest;

  /**
   * @param model that marks answers; closed with this
   * @throws BadInputException if it does not answer questions
   */
  public AnswerModel(TextModel model) {
    required(model, "model");

    ModelFiles files = model.files();
    if (model.labels().task() != Objectives.QUESTION_ANSWERING) {
      throw new BadSettingsException(
          "%s does not answer questions; train it on questions (task qa).", files.name());
    }
    this.model = model;
    int positions = ModelConfig.read(files.config(), files.name()).maxPositions();
    longest = model.maxLength() == null ? Math.min(LONGEST, positions) : model.maxLength();
    tokenizer = TextTokenizer.open(files, Integer.MAX_VALUE, false);
  }

  /**
   * A pretrained encoder with a new head (or its own head, if that fits).
   *
   * @param maxLength tokens of a window; null: 384, or as many as the model takes
   * @param dropout one rate for all layers; null: the rates of the configuration
   * @param storage of weights, as {@link TextModel#forTask} takes it
   * @param seed of a new head's values
   */
  public static AnswerModel forQuestions(
      ModelFiles files, Integer maxLength, Double dropout, WeightStorage storage, long seed) {
    required(files, "files");
    required(storage, "storage");

    Labels ends = new Labels(Objectives.QUESTION_ANSWERING, List.of("start", "end"));
    return new AnswerModel(
        TextModel.forTask(files, ends, Pooling.FIRST, maxLength, dropout, storage, seed));
  }

  /** The model that marks answers. */
  public TextModel model() {
    return model;
  }

  /** Fine-tunes in place and keeps the weights of the least validation loss. */
  public Trainer.Outcome fineTune(
      List<SquadQuestion> train,
      List<SquadQuestion> validation,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(validation, "validation");
    required(settings, "settings");
    required(listener, "listener");

    return fineTune(train, null, validation, settings, listener);
  }

  /**
   * The same, with some questions more often than others.
   *
   * @param sampling of the questions to train on; null: each of them once in an epoch
   * @param validation none: the last weights are kept
   */
  public Trainer.Outcome fineTune(
      List<SquadQuestion> train,
      RowSampling sampling,
      List<SquadQuestion> validation,
      TuningSettings settings,
      FineTuningListener listener) {
    required(train, "train");
    required(validation, "validation");
    required(settings, "settings");
    required(listener, "listener");

    Trainer.Outcome outcome =
        model.fineTune(rows(train), sampling, TextModel.flat(rows(validation)), settings, listener);
    model.setNoAnswerThreshold(threshold(train, validation));
    return outcome;
  }

  /** The best for F1 of the validation questions; null if no question is without an answer. */
  private Double threshold(List<SquadQuestion> train, List<SquadQuestion> validation) {
    if (lackAnswers(validation)) {
      return SquadScores.of(answered(validation), 1).get("best_f1_thresh");
    }
    return lackAnswers(train) ? USUAL_THRESHOLD : null;
  }

  /** Whether some of the questions have no answer. */
  private static boolean lackAnswers(List<SquadQuestion> questions) {
    return questions.stream().anyMatch(question -> question.answers().isEmpty());
  }

  private List<SquadScores.Answered> answered(List<SquadQuestion> questions) {
    List<Found> found =
        found(questions.stream().map(q -> new Example(q.question(), q.context(), null)).toList());
    List<SquadScores.Answered> answered = new ArrayList<>();
    for (int i = 0; i < questions.size(); i++) {
      List<String> given =
          questions.get(i).answers().stream().map(SquadQuestion.Answer::text).toList();
      answered.add(new SquadScores.Answered(given, found.get(i).text(), found.get(i).noAnswer()));
    }
    return answered;
  }

  /** Of each question its windows. */
  private List<List<TokenBatches.Row>> rows(List<SquadQuestion> questions) {
    return questions.stream()
        .map(
            each ->
                windows(
                    each.question(),
                    each.context(),
                    each.answers().stream().findFirst().orElse(NONE)))
        .map(windows -> windows.stream().map(AnswerWindow::row).toList())
        .toList();
  }

  private List<AnswerWindow> windows(String question, String context, SquadQuestion.Answer answer) {
    return AnswerWindow.of(question, context, answer, tokenizer, longest, OVERLAP);
  }

  /**
   * Exact matches and F1 as SQuAD 1.1's own script has them; no loss. If some questions have no
   * answer, or the model tells of such, they and all else are as in SQuAD 2.0's, at the threshold
   * that goes with the model.
   */
  public Scores evaluate(List<SquadQuestion> questions) {
    required(questions, "questions");

    List<SquadScores.Answered> answered = answered(questions);
    Map<Metric, Double> metrics = new EnumMap<>(Metric.class);
    Double threshold = model.noAnswerThreshold();
    if (threshold != null || lackAnswers(questions)) {
      Map<String, Double> scores = SquadScores.of(answered, threshold == null ? 1 : threshold);
      SCORES.forEach(
          (name, metric) -> {
            if (scores.containsKey(name)) {
              metrics.put(metric, scores.get(name) / (metric.isShare() ? 100 : 1));
            }
          });
    } else {
      double exact = 0;
      double f1 = 0;
      for (int i = 0; i < questions.size(); i++) {
        String answer = answered.get(i).prediction();
        exact += AnswerScores.exactMatch(answer, questions.get(i).answers());
        f1 += AnswerScores.f1(answer, questions.get(i).answers());
      }
      metrics.put(Metric.EXACT_MATCH, exact / questions.size());
      metrics.put(Metric.F1, f1 / questions.size());
    }
    return new Scores(
        Objectives.QUESTION_ANSWERING, questions.size(), Double.NaN, metrics, new long[0][]);
  }

  /**
   * Answers questions, in their order.
   *
   * @param questions each a question and, as the pair, the text that holds the answer
   * @return of each the answer as its one label. A model that was trained on questions without an
   *     answer has the score {@value #NO_ANSWER}, the probability that there is none, and no label
   *     past its threshold
   */
  public List<Prediction> answer(List<Example> questions) {
    required(questions, "questions");

    Double threshold = model.noAnswerThreshold();
    return found(questions).stream()
        .map(
            found ->
                threshold == null
                    ? new Prediction(List.of(found.text()), Map.of())
                    : new Prediction(
                        found.noAnswer() > threshold ? List.of() : List.of(found.text()),
                        Map.of(NO_ANSWER, found.noAnswer())))
        .toList();
  }

  /**
   * The likeliest part of a text.
   *
   * @param noAnswer the probability that there is no answer rather than this one
   */
  private record Found(String text, double noAnswer) {}

  private List<Found> found(List<Example> questions) {
    List<AnswerWindow> windows = new ArrayList<>();
    List<Integer> questionOf = new ArrayList<>();
    for (int i = 0; i < questions.size(); i++) {
      Example each = questions.get(i);
      if (each.pair() == null) {
        throw new BadDataException(
            "The question \"%.60s\" has no text to answer it from; give both as columns.",
            each.text());
      }
      for (AnswerWindow window : windows(each.text(), each.pair(), null)) {
        windows.add(window);
        questionOf.add(i);
      }
    }
    Map<Integer, AnswerWindow.Span> best = new HashMap<>();
    Map<Integer, Float> none = new HashMap<>();
    TokenBatches batches =
        TokenBatches.byTokens(
            windows.stream().map(AnswerWindow::row).toList(), Objectives.QUESTION_ANSWERING);
    int[] order = batches.order();
    for (int next = 0; batches.hasNext(); ) {
      int first = next;
      INDArray logits =
          model.logits(
              batches.next(),
              row -> '"' + questions.get(questionOf.get(order[first + row])).text() + '"');
      for (int i = 0; i < logits.size(0); i++) {
        int row = order[next++];
        float[][] scores = logits.slice(i).transpose().toFloatMatrix();
        none.merge(questionOf.get(row), scores[0][0] + scores[1][0], Math::min);
        best.merge(
            questionOf.get(row),
            windows.get(row).best(scores, MOST_ANSWER_TOKENS),
            (a, b) -> b.score() > a.score() ? b : a);
      }
    }
    List<Found> found = new ArrayList<>();
    for (int i = 0; i < questions.size(); i++) {
      AnswerWindow.Span span = best.get(i);
      double noAnswer = 1 / (1 + Math.exp((double) span.score() - none.get(i)));
      found.add(new Found(span.of(questions.get(i).pair()), noAnswer));
    }
    return found;
  }

  @Override
  public void close() {
    tokenizer.close();
    model.close();
  }
}

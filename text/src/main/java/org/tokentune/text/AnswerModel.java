package org.tokentune.text;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
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
 */
public final class AnswerModel implements AutoCloseable {

  /** Tokens of a window by default, if the model takes as many. */
  private static final int LONGEST = 384;

  private static final int OVERLAP = 128;
  private static final int MOST_ANSWER_TOKENS = 30;
  private static final int BATCH = 16;

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

    return model.fineTune(rows(train), rows(validation), settings, listener);
  }

  private List<TokenBatches.Row> rows(List<SquadQuestion> questions) {
    return questions.stream()
        .flatMap(each -> windows(each.question(), each.context(), each.answers().get(0)).stream())
        .map(AnswerWindow::row)
        .toList();
  }

  private List<AnswerWindow> windows(String question, String context, SquadQuestion.Answer answer) {
    return AnswerWindow.of(question, context, answer, tokenizer, longest, OVERLAP);
  }

  /** Exact matches and F1 as SQuAD 1.1's own script has them; no loss. */
  public Scores evaluate(List<SquadQuestion> questions) {
    required(questions, "questions");

    List<Prediction> answers =
        answer(questions.stream().map(q -> new Example(q.question(), q.context(), null)).toList());
    double exact = 0;
    double f1 = 0;
    for (int i = 0; i < answers.size(); i++) {
      String answer = answers.get(i).labels().get(0);
      exact += AnswerScores.exactMatch(answer, questions.get(i).answers());
      f1 += AnswerScores.f1(answer, questions.get(i).answers());
    }
    int count = questions.size();
    Map<Metric, Double> metrics = Map.of(Metric.EXACT_MATCH, exact / count, Metric.F1, f1 / count);
    return new Scores(Objectives.QUESTION_ANSWERING, count, Double.NaN, metrics, new long[0][]);
  }

  /**
   * Answers questions, in their order.
   *
   * @param questions each a question and, as the pair, the text that holds the answer
   * @return of each the answer as its one label
   */
  public List<Prediction> answer(List<Example> questions) {
    required(questions, "questions");

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
    TokenBatches batches =
        TokenBatches.byLength(
            windows.stream().map(AnswerWindow::row).toList(), Objectives.QUESTION_ANSWERING, BATCH);
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
        best.merge(
            questionOf.get(row),
            windows.get(row).best(scores, MOST_ANSWER_TOKENS),
            (a, b) -> b.score() > a.score() ? b : a);
      }
    }
    List<Prediction> answers = new ArrayList<>();
    for (int i = 0; i < questions.size(); i++) {
      answers.add(new Prediction(List.of(best.get(i).of(questions.get(i).pair())), Map.of()));
    }
    return answers;
  }

  @Override
  public void close() {
    tokenizer.close();
    model.close();
  }
}

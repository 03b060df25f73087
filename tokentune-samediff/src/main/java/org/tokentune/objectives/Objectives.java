package org.tokentune.objectives;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** All objectives. */
public final class Objectives {

  /** One class of n for a text. */
  public static final Objective CLASSIFY = new Classification();

  /** Any of n labels for a text. */
  public static final Objective MULTILABEL = new MultiLabelClassification();

  /** Numbers for a text. */
  public static final Objective REGRESS = new Regression();

  /** One class of n for every token. */
  public static final Objective TOKEN = new TokenClassification();

  /** The beginning and the end of the answer to a question in a text. */
  public static final Objective QUESTION_ANSWERING = new QuestionAnswering();

  /** The word for every masked token. */
  public static final Objective MASKED_LM = new MaskedLanguageModeling();

  /** The next token after every token. */
  public static final Objective CAUSAL_LM = new CausalLanguageModeling();

  /**
   * No task: the row that a classifier would read is the input of another network, which returns
   * the gradient of its loss.
   */
  public static final Objective FEATURE_EXTRACTION = new FeatureExtraction();

  /** A vector of a text: pairs of texts with other texts as negatives. */
  public static final Objective EMBED =
      new SentenceEmbedding(EmbeddingLoss.of(EmbeddingLoss.Kind.RANKING, 2));

  /** How relevant a text is to a query. */
  public static final Objective RERANK = new Reranking();

  /** The tasks that a data set can be fine-tuned for. */
  public static final List<Objective> TASKS =
      List.of(CLASSIFY, MULTILABEL, REGRESS, TOKEN, QUESTION_ANSWERING, EMBED, RERANK, CAUSAL_LM);

  private static final List<Objective> ALL =
      Stream.concat(TASKS.stream(), Stream.of(MASKED_LM, FEATURE_EXTRACTION)).toList();

  private Objectives() {}

  /** Vectors of texts, trained by a loss. */
  public static Objective embed(EmbeddingLoss loss) {
    required(loss, "loss");

    return new SentenceEmbedding(loss);
  }

  /**
   * Finds an objective by the name that {@link Objective#toString} returns.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Objective named(String name) {
    return ALL.stream()
        .filter(one -> one.toString().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("there is no objective called " + name));
  }

  /**
   * The task that a Hugging Face {@code config.json} names by {@code architectures} and, for whole
   * texts, {@code problem_type}; without the latter, one output is a number and several are
   * classes, as in transformers. Empty if the architecture has none of these heads.
   *
   * @param outputs of the classifier in the weights
   */
  public static Optional<Objective> read(JsonNode config, int outputs) {
    required(config, "config");

    String architecture = config.path("architectures").path(0).asText();
    String problem = config.path("problem_type").asText();
    List<Objective> found =
        ALL.stream()
            .filter(one -> one != EMBED && one != RERANK) // which config.json does not name
            .filter(one -> one.architectures().containsValue(architecture))
            .toList();
    if (found.size() < 2) {
      return found.stream().findFirst();
    }
    Objective usual = outputs == 1 ? REGRESS : CLASSIFY;
    return Optional.of(
        found.stream().filter(one -> problem.equals(one.problemType())).findFirst().orElse(usual));
  }

  /** The most common task with this {@code task_type} of PEFT. */
  public static Objective ofPeft(String taskType) {
    required(taskType, "taskType");

    return ALL.stream()
        .filter(one -> one != EMBED && one != RERANK && taskType.equals(one.peftTaskType()))
        .findFirst()
        .orElse(FEATURE_EXTRACTION);
  }
}

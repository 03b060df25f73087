package org.tokentune.objectives;

import static org.tokentune.Arguments.required;

import java.util.List;
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

  /** The words that were hidden in a text. */
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

  /** One answer rather than another, with TRL's beta of 0.1. */
  public static final Objective DPO = new DirectPreference(0.1);

  /** The tasks that a data set can be fine-tuned for. */
  public static final List<Objective> TASKS =
      List.of(
          CLASSIFY,
          MULTILABEL,
          REGRESS,
          TOKEN,
          QUESTION_ANSWERING,
          EMBED,
          RERANK,
          MASKED_LM,
          CAUSAL_LM);

  private static final List<Objective> ALL =
      Stream.concat(TASKS.stream(), Stream.of(FEATURE_EXTRACTION, DPO)).toList();

  private Objectives() {}

  /** Vectors of texts, trained by a loss. */
  public static Objective embed(EmbeddingLoss loss) {
    required(loss, "loss");

    return new SentenceEmbedding(loss);
  }

  /**
   * One answer rather than another.
   *
   * @param beta how much the log-probabilities count; the greater, the nearer the model stays to
   *     the reference
   */
  public static Objective dpo(double beta) {
    return new DirectPreference(beta);
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

  /** The most common task with this {@code task_type} of PEFT. */
  public static Objective ofPeft(String taskType) {
    required(taskType, "taskType");

    return ALL.stream()
        .filter(one -> one != EMBED && one != RERANK && taskType.equals(one.peftTaskType()))
        .findFirst()
        .orElse(FEATURE_EXTRACTION);
  }
}

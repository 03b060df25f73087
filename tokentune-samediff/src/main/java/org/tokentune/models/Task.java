package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Optional;

/** What a model's head does. */
public enum Task {
  /** One class of n for a text. */
  CLASSIFY,
  /** Any of n labels for a text. */
  MULTILABEL,
  /** Numbers for a text. */
  REGRESS,
  /** One class of n for every token. */
  TOKEN,
  /** Where in a text the answer to a question begins and ends. */
  QUESTION_ANSWERING,
  /** The vocabulary's word for every masked token. */
  MASKED_LM,
  /** The vocabulary's word after every token. */
  CAUSAL_LM,
  /**
   * None of its own: the row that a classifier would read goes on to another network, which gives
   * back the gradient of its loss.
   */
  FEATURE_EXTRACTION;

  private static final Map<String, String> ENCODERS =
      Map.of("bert", "Bert", "roberta", "Roberta", "distilbert", "DistilBert");

  private static final Map<String, String> DECODERS =
      Map.of(
          "gpt2", "GPT2LMHeadModel",
          "llama", "LlamaForCausalLM",
          "mistral", "MistralForCausalLM",
          "qwen2", "Qwen2ForCausalLM");

  /**
   * Transformers' class of a model with a head for this task, which a {@code config.json} has under
   * {@code architectures}; empty where there is none.
   *
   * @param modelType the configuration's {@code model_type}
   */
  public Optional<String> architecture(String modelType) {
    String head =
        switch (this) {
          case CLASSIFY, MULTILABEL, REGRESS -> "ForSequenceClassification";
          case TOKEN -> "ForTokenClassification";
          case QUESTION_ANSWERING -> "ForQuestionAnswering";
          case MASKED_LM -> "ForMaskedLM";
          case CAUSAL_LM, FEATURE_EXTRACTION -> null;
        };
    return this == CAUSAL_LM
        ? Optional.ofNullable(DECODERS.get(modelType))
        : Optional.ofNullable(head == null ? null : ENCODERS.get(modelType))
            .map(family -> family + head);
  }

  /**
   * The task that a Hugging Face {@code config.json} names by {@code architectures} and, for whole
   * texts, {@code problem_type}; without the latter one output is a number and several are classes,
   * as transformers has it. Empty where the architecture has none of these heads.
   *
   * @param outputs of the classifier, as its weights have them
   */
  public static Optional<Task> read(JsonNode config, int outputs) {
    return switch (config.path("architectures").path(0).asText()) {
      case "BertForMaskedLM", "RobertaForMaskedLM", "DistilBertForMaskedLM" ->
          Optional.of(MASKED_LM);
      case "GPT2LMHeadModel", "LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM" ->
          Optional.of(CAUSAL_LM);
      case "BertForTokenClassification",
          "RobertaForTokenClassification",
          "DistilBertForTokenClassification" ->
          Optional.of(TOKEN);
      case "BertForQuestionAnswering",
          "RobertaForQuestionAnswering",
          "DistilBertForQuestionAnswering" ->
          Optional.of(QUESTION_ANSWERING);
      case "BertForSequenceClassification",
          "RobertaForSequenceClassification",
          "DistilBertForSequenceClassification" ->
          Optional.of(
              switch (config.path("problem_type").asText()) {
                case "regression" -> REGRESS;
                case "multi_label_classification" -> MULTILABEL;
                case "single_label_classification" -> CLASSIFY;
                default -> outputs == 1 ? REGRESS : CLASSIFY;
              });
      default -> Optional.empty();
    };
  }
}

package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.tokentune.BadInputException;

/** Sizes of a model of any family, as a Hugging Face {@code config.json} names them. */
public sealed interface ModelConfig permits BertConfig, Gpt2Config, LlamaConfig {

  int vocabulary();

  int hidden();

  int layers();

  int maxPositions();

  /** Whether tokens see only those before them: a decoder, a causal language model. */
  boolean causal();

  /** Standard deviation of new weights. */
  double initializerRange();

  /** The same model with one dropout rate everywhere. */
  ModelConfig withDropout(double rate);

  /** Dropout rates under their names in {@code config.json}. */
  Map<String, Double> dropouts();

  /** The model with a head. */
  Model model(Head head);

  /**
   * Reads a parsed {@code config.json} of the family that its {@code model_type} names; what it
   * leaves out has transformers' defaults.
   *
   * @param origin the file, for messages
   * @throws BadInputException for another model type, or a field that is missing or out of range
   */
  static ModelConfig read(JsonNode config, String origin) {
    String type = config.path("model_type").asText("bert");
    return switch (type) {
      case "bert", "roberta", "distilbert" -> BertConfig.read(config, origin);
      case "gpt2" -> Gpt2Config.read(config, origin);
      case "llama", "mistral", "qwen2" -> LlamaConfig.read(config, origin);
      default ->
          throw new BadInputException(
              "%s: model_type %s is not supported; bert, roberta, distilbert, gpt2, llama, mistral and"
                  + " qwen2 are.",
              origin, type);
    };
  }
}

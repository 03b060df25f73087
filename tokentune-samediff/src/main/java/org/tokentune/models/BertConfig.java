package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Set;
import org.tokentune.BadInputException;

/**
 * Sizes of a BERT encoder, as a Hugging Face {@code config.json} names them (Devlin et al., 2019).
 *
 * @param activation {@code gelu}, {@code gelu_new}, {@code gelu_pytorch_tanh} or {@code relu}
 */
public record BertConfig(
    int vocabulary,
    int hidden,
    int layers,
    int heads,
    int intermediate,
    int maxPositions,
    int tokenTypes,
    String activation,
    double layerNormEpsilon,
    double hiddenDropout,
    double attentionDropout,
    double classifierDropout,
    double initializerRange) {

  private static final Set<String> ACTIVATIONS =
      Set.of("gelu", "gelu_new", "gelu_pytorch_tanh", "relu");

  public BertConfig {
    if (hidden % heads != 0) {
      throw new BadInputException(
          "hidden_size %d is not a multiple of num_attention_heads %d; correct config.json.",
          hidden, heads);
    }
    if (!ACTIVATIONS.contains(activation)) {
      throw new BadInputException(
          "hidden_act %s is not known; known are %s.", activation, ACTIVATIONS);
    }
  }

  /**
   * Reads a parsed {@code config.json}; what it leaves out has transformers' defaults.
   *
   * @param origin the file, for messages
   * @throws BadInputException for another model type, or a field that is missing or out of range
   */
  public static BertConfig read(JsonNode config, String origin) {
    String type = config.path("model_type").asText("bert");
    if (!type.equals("bert")) {
      throw new BadInputException("%s: model_type %s is not supported; bert is.", origin, type);
    }
    if (!config.path("position_embedding_type").asText("absolute").equals("absolute")) {
      throw new BadInputException(
          "%s: position_embedding_type %s is not supported; absolute is.",
          origin, config.path("position_embedding_type").asText());
    }
    double dropout = rate(config, "hidden_dropout_prob", 0.1, origin);
    return new BertConfig(
        positive(config, "vocab_size", origin),
        positive(config, "hidden_size", origin),
        positive(config, "num_hidden_layers", origin),
        positive(config, "num_attention_heads", origin),
        positive(config, "intermediate_size", origin),
        positive(config, "max_position_embeddings", origin),
        positive(config, "type_vocab_size", origin),
        config.path("hidden_act").asText("gelu"),
        config.path("layer_norm_eps").asDouble(1e-12),
        dropout,
        rate(config, "attention_probs_dropout_prob", 0.1, origin),
        rate(config, "classifier_dropout", dropout, origin),
        config.path("initializer_range").asDouble(0.02));
  }

  /** The same encoder with one dropout rate everywhere. */
  public BertConfig withDropout(double rate) {
    return new BertConfig(
        vocabulary,
        hidden,
        layers,
        heads,
        intermediate,
        maxPositions,
        tokenTypes,
        activation,
        layerNormEpsilon,
        rate,
        rate,
        rate,
        initializerRange);
  }

  private static int positive(JsonNode config, String field, String origin) {
    JsonNode value = config.path(field);
    if (!value.canConvertToInt() || !value.isIntegralNumber() || value.intValue() < 1) {
      throw new BadInputException(
          "%s: %s must be a positive whole number, but is %s.",
          origin, field, value.isMissingNode() ? "missing" : value.toString());
    }
    return value.intValue();
  }

  private static double rate(JsonNode config, String field, double otherwise, String origin) {
    JsonNode value = config.path(field);
    double rate = value.isNumber() ? value.doubleValue() : otherwise;
    if (!(rate >= 0 && rate < 1)) {
      throw new BadInputException("%s: %s must be 0 to below 1, but is %s.", origin, field, value);
    }
    return rate;
  }
}

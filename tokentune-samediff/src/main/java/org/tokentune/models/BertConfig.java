package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.tokentune.BadInputException;
import org.tokentune.nn.Activation;

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
    double initializerRange)
    implements ModelConfig {

  public BertConfig {
    if (hidden % heads != 0) {
      throw new BadInputException(
          "hidden_size %d is not a multiple of num_attention_heads %d; correct config.json.",
          hidden, heads);
    }
    Activation.read(activation);
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
    ConfigFields fields = new ConfigFields(config, origin);
    fields.require("position_embedding_type", "absolute");
    double dropout = fields.rate("hidden_dropout_prob", 0.1);
    return new BertConfig(
        fields.positive("vocab_size"),
        fields.positive("hidden_size"),
        fields.positive("num_hidden_layers"),
        fields.positive("num_attention_heads"),
        fields.positive("intermediate_size"),
        fields.positive("max_position_embeddings"),
        fields.positive("type_vocab_size"),
        config.path("hidden_act").asText("gelu"),
        fields.number("layer_norm_eps", 1e-12),
        dropout,
        fields.rate("attention_probs_dropout_prob", 0.1),
        fields.rate("classifier_dropout", dropout),
        fields.number("initializer_range", 0.02));
  }

  @Override
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

  @Override
  public boolean causal() {
    return false;
  }

  @Override
  public Map<String, Double> dropouts() {
    return Map.of(
        "hidden_dropout_prob",
        hiddenDropout,
        "attention_probs_dropout_prob",
        attentionDropout,
        "classifier_dropout",
        classifierDropout);
  }

  @Override
  public Model model(Head head) {
    return new Bert(this, head);
  }
}

package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.tokentune.BadInputException;
import org.tokentune.nn.Activation;

/**
 * Sizes of an encoder of BERT's build, as a Hugging Face {@code config.json} names them.
 *
 * @param maxPositions most tokens of a text
 * @param firstPosition row of the table of positions for a text's first token
 * @param fixedPositions whether that table is never trained
 * @param tokenTypes 0 where there are none
 * @param activation {@code gelu}, {@code gelu_new}, {@code gelu_pytorch_tanh}, {@code relu} or
 *     {@code tanh}
 * @param classifierDropout before a text's outputs
 */
public record BertConfig(
    BertFamily family,
    int vocabulary,
    int hidden,
    int layers,
    int heads,
    int intermediate,
    int maxPositions,
    int firstPosition,
    boolean fixedPositions,
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
          "The hidden size %d is not a multiple of the %d heads; correct config.json.",
          hidden, heads);
    }
    Activation.read(activation);
  }

  /**
   * Reads a parsed {@code config.json} with {@code model_type} bert, roberta or distilbert; what it
   * leaves out has transformers' defaults.
   *
   * @param origin the file, for messages
   * @throws BadInputException for another model type, or a field that is missing or out of range
   */
  public static BertConfig read(JsonNode config, String origin) {
    ConfigFields fields = new ConfigFields(config, origin);
    String type = config.path("model_type").asText("bert");
    return switch (type) {
      case "bert" -> read(BertFamily.BERT, fields, 0);
      case "roberta" -> read(BertFamily.ROBERTA, fields, fields.index("pad_token_id", 1) + 1);
      case "distilbert" -> readDistilled(fields);
      default ->
          throw new BadInputException(
              "%s: model_type %s is no encoder; bert, roberta and distilbert are.", origin, type);
    };
  }

  private static BertConfig read(BertFamily family, ConfigFields fields, int firstPosition) {
    fields.require("position_embedding_type", "absolute");
    double dropout = fields.rate("hidden_dropout_prob", 0.1);
    int positions = fields.positive("max_position_embeddings");
    if (positions <= firstPosition) {
      throw new BadInputException(
          "%s: max_position_embeddings %d leaves none after pad_token_id %d; correct it.",
          fields.origin(), positions, firstPosition - 1);
    }
    return new BertConfig(
        family,
        fields.positive("vocab_size"),
        fields.positive("hidden_size"),
        fields.positive("num_hidden_layers"),
        fields.positive("num_attention_heads"),
        fields.positive("intermediate_size"),
        positions - firstPosition,
        firstPosition,
        false,
        fields.positive("type_vocab_size"),
        fields.config().path("hidden_act").asText("gelu"),
        fields.number("layer_norm_eps", 1e-12),
        dropout,
        fields.rate("attention_probs_dropout_prob", 0.1),
        fields.rate("classifier_dropout", dropout),
        fields.number("initializer_range", 0.02));
  }

  private static BertConfig readDistilled(ConfigFields fields) {
    return new BertConfig(
        BertFamily.DISTILBERT,
        fields.positive("vocab_size"),
        fields.positive("dim"),
        fields.positive("n_layers"),
        fields.positive("n_heads"),
        fields.positive("hidden_dim"),
        fields.positive("max_position_embeddings"),
        0,
        fields.flag("sinusoidal_pos_embds", false),
        0,
        fields.config().path("activation").asText("gelu"),
        1e-12,
        fields.rate("dropout", 0.1),
        fields.rate("attention_dropout", 0.1),
        fields.rate("seq_classif_dropout", 0.2),
        fields.number("initializer_range", 0.02));
  }

  @Override
  public BertConfig withDropout(double rate) {
    return new BertConfig(
        family,
        vocabulary,
        hidden,
        layers,
        heads,
        intermediate,
        maxPositions,
        firstPosition,
        fixedPositions,
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
    boolean distilled = family.equals(BertFamily.DISTILBERT);
    return Map.of(
        distilled ? "dropout" : "hidden_dropout_prob",
        hiddenDropout,
        distilled ? "attention_dropout" : "attention_probs_dropout_prob",
        attentionDropout,
        distilled ? "seq_classif_dropout" : "classifier_dropout",
        classifierDropout);
  }

  @Override
  public Model model(Head head) {
    return new Bert(this, head);
  }
}

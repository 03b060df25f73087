package org.tokentune.models;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.nn.ActivationFunction;

/**
 * The configuration of an encoder like BERT, with the names of a Hugging Face {@code config.json}.
 *
 * @param maxPositions maximal number of tokens in a text
 * @param firstPosition row of the position table for the first token of a text
 * @param fixedPositions whether the position table is frozen
 * @param tokenTypes number of token types, may be 0
 * @param tied whether the head for masked words shares the word embeddings
 * @param activation {@code gelu}, {@code gelu_new}, {@code gelu_pytorch_tanh}, {@code relu} or
 *     {@code tanh}
 * @param classifierDropout before the outputs of a text
 * @param answerDropout before the outputs for starts and ends of answers
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
    boolean tied,
    String activation,
    double layerNormEpsilon,
    double hiddenDropout,
    double attentionDropout,
    double classifierDropout,
    double answerDropout,
    double initializerRange)
    implements ModelConfig {

  /** Fields of BERT's and RoBERTa's configurations that are not read here. */
  private static final KnownFields BERT =
      TransformersFields.COMMON
          .harmless("directionality", "pooler_fc_size", "pooler_num_attention_heads")
          .harmless("pooler_num_fc_layers", "pooler_size_per_head", "pooler_type")
          .mustBe("is_decoder", false)
          .mustBe("position_embedding_type", "absolute");

  private static final KnownFields DISTILBERT =
      TransformersFields.COMMON.harmless("tie_weights_").mustBe("is_decoder", false);

  public BertConfig {
    required(family, "family");
    required(activation, "activation");

    if (hidden % heads != 0) {
      throw new BadFileException(
          "The hidden size %d is not a multiple of the %d heads; correct config.json.",
          hidden, heads);
    }
    ActivationFunction.read(activation);
  }

  /** Like {@link ModelConfig#read(JsonNode, String)}, for encoders only. */
  public static BertConfig read(JsonNode config, String origin) {
    required(config, "config");
    required(origin, "origin");

    if (ModelConfig.read(config, origin) instanceof BertConfig encoder) {
      return encoder;
    }
    throw new BadFileException(
        "%s: model_type %s is not an encoder; bert, roberta and distilbert are.",
        origin, config.path("model_type").asText());
  }

  /**
   * Reads a {@code config.json} with {@code model_type} bert, roberta or distilbert; missing fields
   * have transformers' defaults.
   *
   * @throws BadInputException for a field that is missing, out of range or not supported
   */
  static BertConfig read(ConfigReader fields) {
    return switch (fields.text("model_type", "bert")) {
      case "roberta" -> read(BertFamily.ROBERTA, fields, fields.index("pad_token_id", 1) + 1);
      case "distilbert" -> readDistilled(fields);
      default -> read(BertFamily.BERT, fields, 0);
    };
  }

  private static BertConfig read(BertFamily family, ConfigReader fields, int firstPosition) {
    double dropout = fields.rate("hidden_dropout_prob", 0.1);
    int positions = fields.count("max_position_embeddings");
    if (positions <= firstPosition) {
      throw new BadFileException(
          "%s: max_position_embeddings %d leaves no positions after pad_token_id %d; correct it.",
          fields.origin(), positions, firstPosition - 1);
    }
    BertConfig config =
        new BertConfig(
            family,
            fields.count("vocab_size"),
            fields.count("hidden_size"),
            fields.layers("num_hidden_layers"),
            fields.count("num_attention_heads"),
            fields.count("intermediate_size"),
            positions - firstPosition,
            firstPosition,
            false,
            fields.count("type_vocab_size"),
            fields.flag("tie_word_embeddings", true),
            TransformersFields.activation(fields, "hidden_act", "gelu"),
            fields.positive("layer_norm_eps", 1e-12),
            dropout,
            fields.rate("attention_probs_dropout_prob", 0.1),
            fields.rate("classifier_dropout", dropout),
            0,
            fields.notNegative("initializer_range", 0.02));
    fields.finish(BERT);
    return config;
  }

  private static BertConfig readDistilled(ConfigReader fields) {
    BertConfig config =
        new BertConfig(
            BertFamily.DISTILBERT,
            fields.count("vocab_size"),
            fields.count(fields.either("dim", "hidden_size")),
            fields.layers(fields.either("n_layers", "num_hidden_layers")),
            fields.count(fields.either("n_heads", "num_attention_heads")),
            fields.count("hidden_dim"),
            fields.count("max_position_embeddings"),
            0,
            fields.flag("sinusoidal_pos_embds", false),
            0,
            fields.flag("tie_word_embeddings", true),
            TransformersFields.activation(fields, "activation", "gelu"),
            1e-12,
            fields.rate("dropout", 0.1),
            fields.rate("attention_dropout", 0.1),
            fields.rate("seq_classif_dropout", 0.2),
            fields.rate("qa_dropout", 0.1),
            fields.notNegative("initializer_range", 0.02));
    fields.finish(DISTILBERT);
    return config;
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
        tied,
        activation,
        layerNormEpsilon,
        rate,
        rate,
        rate,
        family.equals(BertFamily.DISTILBERT) ? rate : 0,
        initializerRange);
  }

  @Override
  public boolean positionTable() {
    return true;
  }

  @Override
  public boolean causal() {
    return false;
  }

  @Override
  public BertConfig untied() {
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
        false,
        activation,
        layerNormEpsilon,
        hiddenDropout,
        attentionDropout,
        classifierDropout,
        answerDropout,
        initializerRange);
  }

  @Override
  public void write(ObjectNode config) {
    boolean distilled = family.equals(BertFamily.DISTILBERT);
    config.put(distilled ? "dropout" : "hidden_dropout_prob", hiddenDropout);
    config.put(distilled ? "attention_dropout" : "attention_probs_dropout_prob", attentionDropout);
    config.put(distilled ? "seq_classif_dropout" : "classifier_dropout", classifierDropout);
    if (distilled) {
      config.put("qa_dropout", answerDropout);
    }
    config.put("tie_word_embeddings", tied);
  }

  @Override
  public TransformerModel model(Head head) {
    return new Bert(this, head);
  }
}

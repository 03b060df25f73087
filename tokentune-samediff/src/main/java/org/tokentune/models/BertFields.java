package org.tokentune.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.List;
import org.tokentune.BadFileException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.models.DecoderConfig.LayerType;
import org.tokentune.models.DecoderConfig.Mlp;
import org.tokentune.models.EncoderConfig.Attention;
import org.tokentune.models.EncoderConfig.Dropout;
import org.tokentune.models.EncoderConfig.Embeddings;
import org.tokentune.models.EncoderConfig.Norms;
import org.tokentune.models.EncoderConfig.Positions;
import org.tokentune.models.EncoderConfig.RelativePositions;
import org.tokentune.nn.ActivationFunction;

/**
 * The fields that the configurations of BERT and its relatives share.
 *
 * @param fields of a {@code config.json}
 */
record BertFields(ConfigReader fields) {

  /** Fields that none of them read here. */
  static final KnownFields KNOWN =
      TransformersFields.COMMON
          .harmless("directionality", "pooler_fc_size", "pooler_num_attention_heads")
          .harmless("pooler_num_fc_layers", "pooler_size_per_head", "pooler_type")
          .mustBe("is_decoder", false)
          .mustBe("position_embedding_type", "absolute");

  private static final String HIDDEN_DROPOUT = "hidden_dropout_prob";
  private static final String ATTENTION_DROPOUT = "attention_probs_dropout_prob";
  private static final String CLASSIFIER_DROPOUT = "classifier_dropout";

  int hidden() {
    return fields.count("hidden_size");
  }

  double hiddenDropout() {
    return fields.rate(HIDDEN_DROPOUT, 0.1);
  }

  double classifierDropout() {
    return fields.rate(CLASSIFIER_DROPOUT, hiddenDropout());
  }

  /** An encoder like BERT with other embeddings, relative positions and dropout of its head. */
  EncoderConfig read(
      EncoderFamily family,
      Embeddings embeddings,
      RelativePositions relative,
      double epsilon,
      Dropout dropout) {
    int heads = fields.count("num_attention_heads");
    int first = embeddings.firstPosition();
    int positions = fields.count("max_position_embeddings");
    if (positions <= first) {
      throw new BadFileException(
          "%s: max_position_embeddings %d leaves no positions after pad_token_id %d; correct it.",
          fields.origin(), positions, first - 1);
    }
    return new EncoderConfig(
        family,
        fields.count("vocab_size"),
        hidden(),
        positions - first,
        embeddings,
        new Attention(heads, hidden() / heads, true, false),
        new Mlp(fields.count("intermediate_size"), activation(), false, true, false),
        new Norms(fields.positive("layer_norm_eps", epsilon), true, false),
        layers(fields.layers("num_hidden_layers")),
        relative,
        fields.flag("tie_word_embeddings", true),
        null,
        dropout,
        fields.notNegative("initializer_range", 0.02));
  }

  private ActivationFunction activation() {
    return ActivationFunction.read(TransformersFields.activation(fields, "hidden_act", "gelu"));
  }

  /** Layers that see everything. */
  static List<LayerType> layers(int number) {
    return Collections.nCopies(number, new LayerType(0, null));
  }

  /** Embeddings with as many positions as {@code max_position_embeddings} says. */
  Embeddings embeddings(Positions positions, int tokenTypes) {
    int first = positions == Positions.COUNTED ? fields.index("pad_token_id", 1) + 1 : 0;
    return new Embeddings(hidden(), positions, first, false, tokenTypes, false);
  }

  /**
   * The dropout of an encoder like BERT.
   *
   * @param pooled of the row of a text, before the dense layer
   * @param classifier before the outputs of a text, and of tokens
   */
  Dropout dropout(double pooled, double classifier, double tags) {
    double hidden = hiddenDropout();
    return new Dropout(
        hidden, fields.rate(ATTENTION_DROPOUT, 0.1), hidden, hidden, pooled, classifier, tags, 0);
  }

  /** Writes what a run may have changed. */
  static void write(EncoderConfig config, ObjectNode json) {
    json.put(HIDDEN_DROPOUT, config.dropout().output());
    json.put(ATTENTION_DROPOUT, config.dropout().attention());
    json.put(CLASSIFIER_DROPOUT, config.dropout().classifier());
  }
}

package org.tokentune.models;

import org.tokentune.nn.ActivationFunction;

/**
 * The names of parameters in encoders like BERT, and the differences between their heads.
 *
 * @param prefix of all names except those of heads
 */
public record BertFamily(
    String prefix, LayerNames layer, TextHead text, VocabularyHead vocabulary) {

  /** BERT (Devlin et al., 2019). */
  public static final BertFamily BERT =
      new BertFamily(
          "bert.",
          new LayerNames(
              "encoder.layer.",
              "attention.self.query",
              "attention.self.key",
              "attention.self.value",
              "attention.output.dense",
              "attention.output.LayerNorm",
              "intermediate.dense",
              "output.dense",
              "output.LayerNorm"),
          new TextHead("bert.pooler.dense", ActivationFunction.TANH, "classifier", false),
          new VocabularyHead(
              "cls.predictions.transform.dense",
              null,
              "cls.predictions.transform.LayerNorm",
              "cls.predictions.decoder",
              "cls.predictions.bias"));

  /**
   * RoBERTa (Liu et al., 2019): positions number the tokens other than padding, from the padding's
   * id + 1.
   */
  public static final BertFamily ROBERTA =
      new BertFamily(
          "roberta.",
          BERT.layer,
          new TextHead("classifier.dense", ActivationFunction.TANH, "classifier.out_proj", true),
          new VocabularyHead(
              "lm_head.dense",
              ActivationFunction.GELU,
              "lm_head.layer_norm",
              "lm_head.decoder",
              "lm_head.bias"));

  /** DistilBERT (Sanh et al., 2019): no token types, and no dropout after attention. */
  public static final BertFamily DISTILBERT =
      new BertFamily(
          "distilbert.",
          new LayerNames(
              "transformer.layer.",
              "attention.q_lin",
              "attention.k_lin",
              "attention.v_lin",
              "attention.out_lin",
              "sa_layer_norm",
              "ffn.lin1",
              "ffn.lin2",
              "output_layer_norm"),
          new TextHead("pre_classifier", ActivationFunction.RELU, "classifier", false),
          new VocabularyHead(
              "vocab_transform",
              null,
              "vocab_layer_norm",
              "vocab_projector",
              "vocab_projector.bias"));

  /** Names within a layer, after {@code prefix} and its number. */
  public record LayerNames(
      String prefix,
      String query,
      String key,
      String value,
      String attentionOutput,
      String attentionNorm,
      String in,
      String out,
      String outputNorm) {}

  /**
   * The head that turns one row per text into outputs: {@code out(activation(dense(x)))}.
   *
   * @param dropsFirst whether dropout also applies to {@code x}, not only to the input of {@code
   *     out}
   */
  public record TextHead(
      String dense, ActivationFunction activation, String out, boolean dropsFirst) {}

  /**
   * The head that turns the row of a token into logits: {@code norm(activation(dense(x))) words^T +
   * bias}.
   *
   * @param activation null: that of the layers
   * @param decoder whose weight replaces {@code words} if they are not the word embeddings
   */
  public record VocabularyHead(
      String dense, ActivationFunction activation, String norm, String decoder, String bias) {}
}

package org.tokentune.models;

import org.tokentune.nn.ActivationFunction;

/**
 * What the encoders of BERT's build call their parameters, and how their heads differ.
 *
 * @param prefix of all names but those of heads
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
   * RoBERTa (Liu et al., 2019): positions count the tokens that are not padding, from the padding's
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

  /** DistilBERT (Sanh et al., 2019): no token types; nothing is dropped after attention. */
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

  /** Names within a layer; {@code prefix} and a number stand before them. */
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
   * What makes one row of a text its outputs: {@code out(activation(dense(x)))}.
   *
   * @param dropsFirst whether {@code x} is dropped, besides what goes into {@code out}
   */
  public record TextHead(
      String dense, ActivationFunction activation, String out, boolean dropsFirst) {}

  /**
   * What makes a token's row logits: {@code norm(activation(dense(x))) words^T + bias}.
   *
   * @param activation null: the layers'
   * @param decoder whose weight stands for {@code words} where they are not the table of word
   *     embeddings
   */
  public record VocabularyHead(
      String dense, ActivationFunction activation, String norm, String decoder, String bias) {}
}

package org.tokentune.models;

import org.tokentune.nn.ActivationFunction;

/**
 * The names of an encoder family's parameters in Hugging Face's files, and the differences between
 * the families' heads. A name is null if the family has no such part.
 *
 * @param prefix of all names except those of heads
 * @param embeddings names of the tables and their norm, after the prefix
 * @param lastNorm of the norm after the last layer, after the prefix
 * @param relative of the table of relative positions, after the prefix
 * @param relativeNorm of its norm, after the prefix
 * @param tags of the layer that gives every token a tag, and for answers
 */
public record EncoderNames(
    String prefix,
    Tables embeddings,
    Block layer,
    String lastNorm,
    String relative,
    String relativeNorm,
    TextHead text,
    VocabularyHead vocabulary,
    String tags,
    String answers) {

  /**
   * The embeddings.
   *
   * @param projection to the hidden size, if the tables are narrower
   */
  public record Tables(
      String words, String positions, String types, String norm, String projection) {

    static final Tables BERT =
        new Tables(
            "embeddings.word_embeddings",
            "embeddings.position_embeddings",
            "embeddings.token_type_embeddings",
            "embeddings.LayerNorm",
            null);
  }

  /** Names within a layer, after {@code prefix} and its number. */
  public record Block(
      String prefix,
      String query,
      String key,
      String value,
      String packed,
      String attentionOutput,
      String attentionNorm,
      String in,
      String out,
      String outputNorm) {

    static final Block BERT =
        new Block(
            "encoder.layer.",
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            null,
            "attention.output.dense",
            "attention.output.LayerNorm",
            "intermediate.dense",
            "output.dense",
            "output.LayerNorm");
  }

  /**
   * The head that turns one row per text into outputs: {@code out(norm(activation(dense(x))))}.
   *
   * @param biased whether {@code dense} has a bias
   * @param forTokens whether heads that read every token have these layers, too
   */
  public record TextHead(
      String dense,
      boolean biased,
      ActivationFunction activation,
      String norm,
      String out,
      boolean forTokens) {

    static TextHead of(String dense, ActivationFunction activation, String out) {
      return new TextHead(dense, true, activation, null, out, false);
    }
  }

  /**
   * The head that turns the row of a token into logits: {@code norm(activation(dense(x))) words^T +
   * bias}.
   *
   * @param biased whether {@code dense} has a bias
   * @param activation null: that of the layers
   * @param decoder whose weight replaces {@code words} if they are not the word embeddings
   */
  public record VocabularyHead(
      String dense,
      boolean biased,
      ActivationFunction activation,
      String norm,
      String decoder,
      String bias) {

    static final VocabularyHead BERT =
        new VocabularyHead(
            "cls.predictions.transform.dense",
            true,
            null,
            "cls.predictions.transform.LayerNorm",
            "cls.predictions.decoder",
            "cls.predictions.bias");

    static final VocabularyHead ROBERTA =
        new VocabularyHead(
            "lm_head.dense",
            true,
            ActivationFunction.GELU,
            "lm_head.layer_norm",
            "lm_head.decoder",
            "lm_head.bias");
  }

  /** BERT's names under another prefix, with other heads. */
  static EncoderNames likeBert(String prefix, TextHead text, VocabularyHead vocabulary) {
    return new EncoderNames(
        prefix,
        Tables.BERT,
        Block.BERT,
        null,
        null,
        null,
        text,
        vocabulary,
        "classifier",
        Head.QA_OUTPUTS);
  }

  EncoderNames with(Tables tables) {
    return new EncoderNames(
        prefix, tables, layer, lastNorm, relative, relativeNorm, text, vocabulary, tags, answers);
  }

  EncoderNames with(Block block) {
    return new EncoderNames(
        prefix,
        embeddings,
        block,
        lastNorm,
        relative,
        relativeNorm,
        text,
        vocabulary,
        tags,
        answers);
  }

  EncoderNames withRelative(String table, String norm) {
    return new EncoderNames(
        prefix, embeddings, layer, lastNorm, table, norm, text, vocabulary, tags, answers);
  }
}

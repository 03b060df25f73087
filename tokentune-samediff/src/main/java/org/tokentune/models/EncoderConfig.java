package org.tokentune.models;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.util.List;
import org.tokentune.BadFileException;
import org.tokentune.models.DecoderConfig.LayerType;
import org.tokentune.models.DecoderConfig.Mlp;

/**
 * The configuration of an encoder of any family: everything in which the families differ.
 *
 * @param maxPositions maximal number of tokens in a text
 * @param layerTypes what attention sees, for each layer; windows reach to both sides
 * @param relativePositions null if there are none
 * @param tied whether the head for masked words shares the word embeddings
 * @param pooling of the row that a classifier reads, over all tokens; null: as the {@link Head}
 *     says
 * @param initializerRange standard deviation of new weights
 */
public record EncoderConfig(
    EncoderFamily family,
    int vocabulary,
    int hidden,
    int maxPositions,
    Embeddings embeddings,
    Attention attention,
    Mlp mlp,
    Norms norms,
    List<LayerType> layerTypes,
    RelativePositions relativePositions,
    boolean tied,
    Pooling pooling,
    Dropout dropout,
    double initializerRange)
    implements ModelConfig {

  /** How the numbers of positions are found. */
  public enum Positions {
    /** There is no table of positions. */
    NONE,
    /** From 0, by place. */
    BY_PLACE,
    /**
     * Tokens other than padding are counted from the padding's id + 1, and padding has its own id
     * (RoBERTa).
     */
    COUNTED
  }

  /**
   * What becomes of a token before the first layer.
   *
   * @param size of a row of the tables
   * @param firstPosition row of the position table for the first token of a text
   * @param fixedPositions whether the position table is frozen
   * @param tokenTypes number of token types, may be 0
   * @param zeroesPadding whether rows of padding are set to 0
   */
  public record Embeddings(
      int size,
      Positions positions,
      int firstPosition,
      boolean fixedPositions,
      int tokenTypes,
      boolean zeroesPadding)
      implements Serializable {}

  /**
   * The attention of all layers.
   *
   * @param bias whether its projections have biases
   * @param packed whether queries, keys and values are rows of one weight, in this order
   */
  public record Attention(int heads, int headSize, boolean bias, boolean packed)
      implements Serializable {}

  /**
   * The layer norms.
   *
   * @param bias whether they have biases
   * @param first whether inputs are normalised, from the second block on, and not sums; there is
   *     then a norm after the last layer
   */
  public record Norms(double epsilon, boolean bias, boolean first) implements Serializable {}

  /**
   * Scores that depend on the distance of two tokens.
   *
   * @param disentangled whether they depend on the tokens as well (DeBERTa); otherwise only on the
   *     head (MPNet)
   * @param buckets number of kinds of distances
   * @param maxDistance from which on there are no further kinds
   */
  public record RelativePositions(boolean disentangled, int buckets, int maxDistance)
      implements Serializable {}

  /**
   * Dropout rates.
   *
   * @param attention of attention weights
   * @param attentionOutput of the rows that attention adds
   * @param output of the rows that the feed-forward layers add
   * @param pooled of the row of a text, before the dense layer
   * @param classifier before the outputs
   * @param answers before the outputs for starts and ends of answers
   */
  public record Dropout(
      double embeddings,
      double attention,
      double attentionOutput,
      double output,
      double pooled,
      double classifier,
      double tags,
      double answers)
      implements Serializable {}

  public EncoderConfig {
    required(family, "family");
    required(embeddings, "embeddings");
    required(attention, "attention");
    required(mlp, "mlp");
    required(norms, "norms");
    required(dropout, "dropout");
    layerTypes = List.copyOf(required(layerTypes, "layerTypes"));
    if (hidden != attention.heads() * attention.headSize()) {
      throw new BadFileException(
          "The hidden size %d is not a multiple of the %d heads; correct config.json.",
          hidden, attention.heads());
    }
  }

  /** Like {@link ModelConfig#read(JsonNode, String)}, for encoders only. */
  public static EncoderConfig read(JsonNode config, String origin) {
    required(config, "config");
    required(origin, "origin");
    if (ModelConfig.read(config, origin) instanceof EncoderConfig encoder) {
      return encoder;
    }
    throw new BadFileException(
        "%s: model_type %s is not an encoder; bert, roberta and modernbert are.",
        origin, config.path("model_type").asText());
  }

  @Override
  public int layers() {
    return layerTypes.size();
  }

  @Override
  public int tokenTypes() {
    return embeddings.tokenTypes();
  }

  /** Distances beyond the maximum have no bucket, either. */
  @Override
  public boolean positionTable() {
    return embeddings.positions() != Positions.NONE || relativePositions != null;
  }

  @Override
  public boolean causal() {
    return false;
  }

  @Override
  public EncoderConfig withDropout(double rate) {
    return with(tied, family.dropout(rate));
  }

  @Override
  public EncoderConfig untied() {
    return with(false, dropout);
  }

  private EncoderConfig with(boolean otherTied, Dropout otherDropout) {
    return new EncoderConfig(
        family,
        vocabulary,
        hidden,
        maxPositions,
        embeddings,
        attention,
        mlp,
        norms,
        layerTypes,
        relativePositions,
        otherTied,
        pooling,
        otherDropout,
        initializerRange);
  }

  @Override
  public void write(ObjectNode config) {
    family.write(this, config);
    config.put("tie_word_embeddings", tied);
  }

  @Override
  public TransformerModel model(Head head) {
    return new Encoder(this, head);
  }
}

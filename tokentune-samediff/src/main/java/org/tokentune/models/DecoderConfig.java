package org.tokentune.models;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.util.List;
import org.tokentune.BadFileException;
import org.tokentune.nn.ActivationFunction;

/**
 * The configuration of a decoder of any family: everything in which the families differ.
 *
 * @param maxPositions maximal number of tokens in a text
 * @param positionTable whether positions are rows of a table that is added to the embeddings
 * @param tied whether the head shares the word embeddings
 * @param layerTypes what attention sees, for each layer
 * @param initializerRange standard deviation of new weights
 */
public record DecoderConfig(
    DecoderFamily family,
    int vocabulary,
    int hidden,
    int maxPositions,
    boolean positionTable,
    boolean tied,
    Attention attention,
    Mlp mlp,
    Norms norms,
    List<LayerType> layerTypes,
    Multipliers multipliers,
    Dropout dropout,
    double initializerRange)
    implements ModelConfig {

  /** What is normalised before queries and keys are compared. */
  public enum QueryKeyNorm {
    NONE,
    /** Every head, with the same gain [head size] (Qwen3, Gemma 3). */
    HEAD,
    /** The whole projection, with a gain of its width (OLMo 2). */
    PROJECTION
  }

  /**
   * The attention of all layers.
   *
   * @param keyValueHeads number of heads of keys and values, each for a group of query heads
   * @param bias whether queries, keys and values have biases
   * @param outputBias whether the output has a bias
   * @param packed whether queries, keys and values are rows of one weight, in this order
   * @param scale factor of the scores
   * @param softCap scores stay between it and its negative; 0 for no cap
   * @param rotarySize how much of each head, from its beginning, has rotary positions
   */
  public record Attention(
      int heads,
      int keyValueHeads,
      int headSize,
      boolean bias,
      boolean outputBias,
      boolean packed,
      QueryKeyNorm queryKeyNorm,
      double scale,
      double softCap,
      int rotarySize)
      implements Serializable {

    public Attention {
      if (heads % keyValueHeads != 0) {
        throw new BadFileException(
            "num_attention_heads %d must be a multiple of num_key_value_heads %d; correct"
                + " config.json.",
            heads, keyValueHeads);
      }
    }

    /** Without biases and norms, and with scores divided by the root of the head size. */
    static Attention of(int heads, int keyValueHeads, int headSize) {
      return new Attention(
          heads,
          keyValueHeads,
          headSize,
          false,
          false,
          false,
          QueryKeyNorm.NONE,
          1 / Math.sqrt(headSize),
          0,
          headSize);
    }

    Attention withBias(boolean ofProjections, boolean ofOutput) {
      return new Attention(
          heads,
          keyValueHeads,
          headSize,
          ofProjections,
          ofOutput,
          packed,
          queryKeyNorm,
          scale,
          softCap,
          rotarySize);
    }

    Attention withPacked() {
      return new Attention(
          heads,
          keyValueHeads,
          headSize,
          bias,
          outputBias,
          true,
          queryKeyNorm,
          scale,
          softCap,
          rotarySize);
    }

    Attention withQueryKeyNorm(QueryKeyNorm norm) {
      return new Attention(
          heads,
          keyValueHeads,
          headSize,
          bias,
          outputBias,
          packed,
          norm,
          scale,
          softCap,
          rotarySize);
    }

    Attention withScores(double factor, double cap) {
      return new Attention(
          heads,
          keyValueHeads,
          headSize,
          bias,
          outputBias,
          packed,
          queryKeyNorm,
          factor,
          cap,
          rotarySize);
    }

    /** How much of each head has rotary positions: {@link #withRotaryShare} makes the same size. */
    double rotaryShare() {
      double share = (double) rotarySize / headSize;
      return (int) (headSize * share) < rotarySize ? Math.nextUp(share) : share;
    }

    Attention withRotaryShare(double share) {
      return new Attention(
          heads,
          keyValueHeads,
          headSize,
          bias,
          outputBias,
          packed,
          queryKeyNorm,
          scale,
          softCap,
          (int) (headSize * share));
    }

    /** Training checkpoints are compared by it, so that new fields are named where they are set. */
    @Override
    public String toString() {
      return "Attention[heads="
          + heads
          + ", keyValueHeads="
          + keyValueHeads
          + ", headSize="
          + headSize
          + ", bias="
          + bias
          + ", outputBias="
          + outputBias
          + ", packed="
          + packed
          + ", queryKeyNorm="
          + queryKeyNorm
          + ", scale="
          + scale
          + ", softCap="
          + softCap
          + (rotarySize == headSize ? "]" : ", rotarySize=" + rotarySize + "]");
    }
  }

  /**
   * The feed-forward layers.
   *
   * @param intermediate their inner width
   * @param gated whether the activation of one layer is multiplied with another
   * @param bias whether they have biases
   * @param packed whether both inner layers are rows of one weight, the gate first
   */
  public record Mlp(
      int intermediate, ActivationFunction activation, boolean gated, boolean bias, boolean packed)
      implements Serializable {

    Mlp withBias(boolean biased) {
      return new Mlp(intermediate, activation, gated, biased, packed);
    }

    Mlp withPacked() {
      return new Mlp(intermediate, activation, gated, bias, true);
    }
  }

  /**
   * The norms of all layers.
   *
   * @param rms root mean square normalisation; otherwise layer normalisation
   * @param addsOne whether gains are stored with 1 subtracted
   * @param before whether the inputs of attention and MLP are normalised
   * @param after whether their outputs are
   */
  public record Norms(boolean rms, double epsilon, boolean addsOne, boolean before, boolean after)
      implements Serializable {}

  /**
   * What a layer's attention sees.
   *
   * @param window number of positions visible to a query, including itself; 0 for all earlier ones
   * @param rope rotary positions; null for none
   */
  public record LayerType(int window, RopeParameters rope) implements Serializable {}

  /**
   * Factors within the model.
   *
   * @param embeddings factor of the word embeddings
   * @param residual factor of what a layer adds
   * @param logits divisor of the logits
   * @param logitCap logits stay between it and its negative; 0 for no cap
   */
  public record Multipliers(double embeddings, double residual, double logits, double logitCap)
      implements Serializable {

    static final Multipliers NONE = new Multipliers(1, 1, 1, 0);
  }

  /** Dropout rates: of the embeddings, of attention weights, and of what a layer adds. */
  public record Dropout(double embeddings, double attention, double residual)
      implements Serializable {}

  public DecoderConfig {
    required(family, "family");
    required(attention, "attention");
    required(mlp, "mlp");
    required(norms, "norms");
    required(multipliers, "multipliers");
    required(dropout, "dropout");
    layerTypes = List.copyOf(required(layerTypes, "layerTypes"));
    boolean rotates = layerTypes.stream().anyMatch(type -> type.rope() != null);
    if (rotates && attention.rotarySize() % 2 != 0) {
      throw new BadFileException(
          attention.rotarySize() == attention.headSize()
              ? "The head size %d must be even for rotary positions; correct config.json."
              : "partial_rotary_factor gives %d numbers of a head rotary positions, which must be"
                  + " even; correct config.json.",
          attention.rotarySize());
    }
  }

  @Override
  public int layers() {
    return layerTypes.size();
  }

  @Override
  public boolean causal() {
    return true;
  }

  @Override
  public DecoderConfig withDropout(double rate) {
    return with(family.dropout(rate));
  }

  @Override
  public DecoderConfig untied() {
    return with(false, attention, mlp, norms, layerTypes, multipliers, dropout);
  }

  DecoderConfig with(Attention other) {
    return with(tied, other, mlp, norms, layerTypes, multipliers, dropout);
  }

  DecoderConfig with(Mlp other) {
    return with(tied, attention, other, norms, layerTypes, multipliers, dropout);
  }

  DecoderConfig with(Norms other) {
    return with(tied, attention, mlp, other, layerTypes, multipliers, dropout);
  }

  DecoderConfig with(List<LayerType> others) {
    return with(tied, attention, mlp, norms, others, multipliers, dropout);
  }

  DecoderConfig with(Multipliers other) {
    return with(tied, attention, mlp, norms, layerTypes, other, dropout);
  }

  DecoderConfig with(Dropout other) {
    return with(tied, attention, mlp, norms, layerTypes, multipliers, other);
  }

  private DecoderConfig with(
      boolean otherTied,
      Attention otherAttention,
      Mlp otherMlp,
      Norms otherNorms,
      List<LayerType> otherTypes,
      Multipliers otherMultipliers,
      Dropout otherDropout) {
    return new DecoderConfig(
        family,
        vocabulary,
        hidden,
        maxPositions,
        positionTable,
        otherTied,
        otherAttention,
        otherMlp,
        otherNorms,
        otherTypes,
        otherMultipliers,
        otherDropout,
        initializerRange);
  }

  @Override
  public void write(ObjectNode config) {
    family.write(this, config);
  }

  @Override
  public TransformerModel model(Head head) {
    return new Decoder(this, head);
  }
}

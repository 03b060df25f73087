package org.tokentune.nn.internal;

/**
 * Names of the places where models apply dropout. Each mask is a function of its place's name, so
 * names must never change: otherwise a resumed run would continue with different masks, and seeded
 * runs would give different numbers. The names of places in a layer are prefixed with the layer's.
 */
public final class DropoutPlaces {

  public static final String EMBEDDINGS = "embeddings";

  /** A layer's attention weights in BERT's family. */
  public static final String BERT_ATTENTION = "attention.self";

  /** The table of distances in DeBERTa's attention. */
  public static final String POSITIONS = ".positions";

  /** The output rows of BERT's attention. */
  public static final String BERT_ATTENTION_OUTPUT = "attention.output";

  /** The output rows of BERT's feed-forward layers. */
  public static final String BERT_OUTPUT = "output";

  /** The pooled row of a text, before BERT's dense layer. */
  public static final String POOLED = "pooled";

  /** The input rows of a classifier. */
  public static final String CLASSIFIER = "classifier";

  /** The input rows of a question answering head. */
  public static final String ANSWERS = "answers";

  /** A layer's attention weights in GPT-2. */
  public static final String GPT2_ATTENTION = "attn";

  /** A layer's attention weights in Llama's family. */
  public static final String LLAMA_ATTENTION = "self_attn";

  /** The output rows of a decoder's attention. */
  static final String ATTENTION_OUTPUT = "attention";

  /** The output rows of a decoder's feed-forward layers. */
  static final String FEED_FORWARD_OUTPUT = "feedForward";

  /** The input rows of an adapter. */
  public static final String LORA = ".lora";

  private DropoutPlaces() {}
}

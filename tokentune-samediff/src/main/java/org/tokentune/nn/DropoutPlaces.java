package org.tokentune.nn;

/**
 * Names of the places where models drop. Each mask is a function of its place's name, so that a
 * name must stay as it is: with another one, a training that is resumed would go on with other
 * masks, and seeded runs would give other numbers. Names of places in a layer begin with the
 * layer's.
 */
public final class DropoutPlaces {

  public static final String EMBEDDINGS = "embeddings";

  /** Of a layer's attention weights in BERT's family. */
  public static final String BERT_ATTENTION = "attention.self";

  /** Of the rows that BERT's attention gives. */
  public static final String BERT_ATTENTION_OUTPUT = "attention.output";

  /** Of the rows that BERT's feed-forward layers give. */
  public static final String BERT_OUTPUT = "output";

  /** Of the text's row, before BERT's dense layer. */
  public static final String POOLED = "pooled";

  /** Of the rows that a classifier reads. */
  public static final String CLASSIFIER = "classifier";

  /** Of the rows of which answers are marked. */
  public static final String ANSWERS = "answers";

  /** Of a layer's attention weights in GPT-2. */
  public static final String GPT2_ATTENTION = "attn";

  /** Of a layer's attention weights in Llama's family. */
  public static final String LLAMA_ATTENTION = "self_attn";

  /** Of the rows that a decoder's attention gives. */
  static final String ATTENTION_OUTPUT = "attention";

  /** Of the rows that a decoder's feed-forward layers give. */
  static final String FEED_FORWARD_OUTPUT = "feedForward";

  /** Of the rows that an adapter reads. */
  public static final String LORA = ".lora";

  private DropoutPlaces() {}
}

package org.tokentune.models;

import java.util.Map;
import org.tokentune.nn.Parameters;

/** A model of any family with a head: the names of its parameters, and its graphs. */
public interface TransformerModel {

  ModelConfig config();

  Head head();

  /** Names and shapes of all parameters, in order. */
  Map<String, long[]> parameters();

  /** The prefix that checkpoints of the model without a head may omit from every name. */
  String prefix();

  /** Whether a parameter belongs to the head, and may be new. */
  boolean isHead(String name);

  /** Whether a parameter is an embedding table or its norm. */
  boolean isEmbedding(String name);

  /** The table of word embeddings. */
  String wordTable();

  /** The weight that computes logits over the vocabulary; if it is tied, the word embeddings. */
  String headTable();

  /** Whether weights of linear layers are stored [in, out] rather than [out, in]. */
  default boolean inputFirst() {
    return false;
  }

  /** Returns a copy without dropout. */
  default TransformerModel withoutDropout() {
    return config().withDropout(0).model(head());
  }

  /** Builds a graph that uses the arrays of {@code parameters} themselves. */
  ModelGraph build(Parameters parameters, GraphOptions options);
}

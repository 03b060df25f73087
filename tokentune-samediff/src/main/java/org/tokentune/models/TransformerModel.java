package org.tokentune.models;

import java.util.Map;
import org.tokentune.nn.Parameters;

/** A model of some family with a head: what its parameters are called, and its graphs. */
public interface TransformerModel {

  ModelConfig config();

  Head head();

  /** Names and shapes of all parameters, in order. */
  Map<String, long[]> parameters();

  /** What checkpoints of the model without a head may leave out of every name. */
  String prefix();

  /** Whether a parameter belongs to what stands on the model, and may be new. */
  boolean isHead(String name);

  /** Whether a parameter is an embedding table or its norm. */
  boolean isEmbedding(String name);

  /** The table of word embeddings. */
  String wordTable();

  /** The weight that makes logits of the vocabulary; where it is tied, the table. */
  String headTable();

  /** Whether weights of linear layers are stored [in, out] and not [out, in]. */
  default boolean inputFirst() {
    return false;
  }

  /** The same model without dropout. */
  default TransformerModel withoutDropout() {
    return config().withDropout(0).model(head());
  }

  /** Builds a graph over the very arrays of {@code parameters}. */
  ModelGraph build(Parameters parameters, GraphOptions options);
}

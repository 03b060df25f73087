package org.tokentune.nn.internal;

import org.nd4j.autodiff.samediff.SDVariable;

/** Adds to attention scores what depends on the distance between query and key. */
@FunctionalInterface
public interface PositionScores {

  /** Adds nothing. */
  PositionScores NONE = (graph, scores, queries, keyRows, keys) -> scores;

  /**
   * @param scores products of queries and keys before they are scaled, [batch, heads, queries,
   *     keys]
   * @param queries [batch * queries, heads * head size]
   * @param keyRows [batch * keys, heads * head size]
   * @param keys the keys' places
   * @return the scores with the addition
   */
  SDVariable add(
      Graph graph, SDVariable scores, TokenStream queries, SDVariable keyRows, AttentionMask keys);
}

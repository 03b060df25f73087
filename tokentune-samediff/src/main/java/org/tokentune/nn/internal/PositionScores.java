package org.tokentune.nn.internal;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.TiledAttention;

/** Adds to attention scores what depends on the distance between query and key. */
public interface PositionScores {

  /** Adds nothing. */
  PositionScores NONE =
      new PositionScores() {
        @Override
        public SDVariable add(
            Graph graph,
            SDVariable scores,
            TokenStream queries,
            SDVariable keyRows,
            AttentionMask keys) {
          return scores;
        }

        @Override
        public boolean isTiled() {
          return true;
        }
      };

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

  /** Whether {@link TiledAttention} can add them, as {@link #bias} has them. */
  default boolean isTiled() {
    return false;
  }

  /** What is added, for {@link TiledAttention}; null if nothing is. */
  default TiledAttention.DistanceBias bias(Graph graph, TokenStream queries) {
    return null;
  }
}

package org.tokentune.nn.internal;

/** Modifies the results of linear layers. */
@FunctionalInterface
public interface LinearAdapter {

  /** Leaves every layer unchanged. */
  LinearAdapter NONE = (graph, weight, x, y) -> y;

  /**
   * @param weight name of the layer's weight
   * @param x the layer's input rows [n, in]
   * @param y the layer's output rows [n, out]
   * @return rows [n, out] to use instead of {@code y}
   */
  TokenStream apply(Graph graph, String weight, TokenStream x, TokenStream y);
}

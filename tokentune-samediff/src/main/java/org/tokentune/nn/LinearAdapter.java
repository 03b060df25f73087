package org.tokentune.nn;

/** What changes the results of linear layers beside their weights. */
@FunctionalInterface
public interface LinearAdapter {

  /** Leaves every layer as it is. */
  LinearAdapter NONE = (graph, weight, x, y) -> y;

  /**
   * @param weight name of the layer's weight
   * @param x rows [n, in] that the layer got
   * @param y rows [n, out] that it made of them
   * @return rows [n, out] in place of {@code y}
   */
  TokenStream apply(Graph graph, String weight, TokenStream x, TokenStream y);
}

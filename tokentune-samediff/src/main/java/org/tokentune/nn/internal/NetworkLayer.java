package org.tokentune.nn.internal;

/** A layer that processes every token independently: rows [n, in] to [n, out]. */
@FunctionalInterface
public interface NetworkLayer {

  /** Returns its input. */
  NetworkLayer IDENTITY = (graph, x) -> x;

  TokenStream apply(Graph graph, TokenStream x);

  /** This layer, and then another one. */
  default NetworkLayer then(NetworkLayer next) {
    return next == IDENTITY ? this : (graph, x) -> next.apply(graph, apply(graph, x));
  }
}

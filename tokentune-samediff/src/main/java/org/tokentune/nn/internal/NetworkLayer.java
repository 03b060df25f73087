package org.tokentune.nn.internal;

/** A layer that processes every token independently: rows [n, in] to [n, out]. */
@FunctionalInterface
public interface NetworkLayer {

  TokenStream apply(Graph graph, TokenStream x);
}

package org.tokentune.nn;

/** What treats every token by itself: rows [n, in] to [n, out]. */
@FunctionalInterface
public interface NetworkLayer {

  TokenStream apply(Graph graph, TokenStream x);
}

package org.tokentune.nn.internal;

/**
 * Normalises every head of a query or key by itself: rows [n, heads * head size].
 *
 * @param norm of rows [n * heads, head size]
 */
public record HeadNorm(NetworkLayer norm, int headSize) implements NetworkLayer {

  @Override
  public TokenStream apply(Graph graph, TokenStream x) {
    TokenStream heads = x.with(x.rows().reshape(-1, headSize), headSize);
    return x.with(norm.apply(graph, heads).rows().reshape(-1, x.width()));
  }
}

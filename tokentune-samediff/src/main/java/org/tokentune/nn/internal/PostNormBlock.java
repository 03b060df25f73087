package org.tokentune.nn.internal;

/**
 * A transformer block that normalises after adding each residual (Vaswani et al., 2017): {@code y =
 * norm(x + output(attention(x)))}, {@code z = norm(y + feedForward(y))}.
 */
public record PostNormBlock(
    SelfAttention attention,
    NetworkLayer output,
    LayerNorm attentionNorm,
    NetworkLayer feedForward,
    LayerNorm feedForwardNorm) {

  /**
   * Rows [n, hidden] of each stream to rows of the same shape.
   *
   * @param queries the tokens, or only their selected stream if nothing reads the frozen one
   */
  public TokenStreams apply(
      Graph graph, TokenStreams queries, TokenStreams tokens, AttentionMask keys) {
    TokenStreams context = attention.apply(graph, queries, tokens, keys);
    TokenStreams attended = add(graph, queries, context, output, attentionNorm);
    return add(graph, attended, attended, feedForward, feedForwardNorm);
  }

  private static TokenStreams add(
      Graph graph, TokenStreams residual, TokenStreams x, NetworkLayer layer, LayerNorm norm) {
    return residual.map(x, (sum, rows) -> norm.apply(graph, layer.apply(graph, rows), sum));
  }
}

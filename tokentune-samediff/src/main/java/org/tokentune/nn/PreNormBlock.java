package org.tokentune.nn;

import org.tokentune.ops.Residual;

/**
 * A transformer block that normalises what goes into attention and into the feed-forward layer, and
 * leaves the sum of residuals as it is (Radford et al., 2019): {@code y = x + output(attention(
 * norm(x)))}, {@code z = y + feedForward(norm(y))}.
 *
 * @param dropout rate on both summands
 * @param name of the block, to name its places of dropout
 */
public record PreNormBlock(
    NetworkLayer attentionNorm,
    SelfAttention attention,
    NetworkLayer output,
    NetworkLayer feedForwardNorm,
    NetworkLayer feedForward,
    double dropout,
    String name) {

  /**
   * Rows [n, hidden] of each stream to the same.
   *
   * @param queries the tokens, or their selected stream alone where nobody reads the frozen one, or
   *     some of these
   */
  public TokenStreams apply(
      Graph graph, TokenStreams queries, TokenStreams tokens, AttentionMask keys) {
    TokenStreams normed = tokens.map(x -> attentionNorm.apply(graph, x));
    TokenStreams asking = normed;
    String rows = tokens.selected().rows().name();
    if (!queries.selected().rows().name().equals(rows)) {
      asking = queries.map(x -> attentionNorm.apply(graph, x));
    } else if (queries.frozen() == null) {
      asking = new TokenStreams(normed.selected(), null);
    }
    TokenStreams context = attention.apply(graph, asking, normed, keys);
    TokenStreams attended = add(graph, queries, context, output, DropoutPlaces.ATTENTION_OUTPUT);
    TokenStreams fed = attended.map(x -> feedForwardNorm.apply(graph, x));
    return add(graph, attended, fed, feedForward, DropoutPlaces.FEED_FORWARD_OUTPUT);
  }

  private TokenStreams add(
      Graph graph, TokenStreams residual, TokenStreams x, NetworkLayer layer, String part) {
    return residual.map(
        x,
        (sum, rows) ->
            sum.with(
                Residual.apply(
                    sum.rows(),
                    graph.dropout(layer.apply(graph, rows), dropout, name + part).rows(),
                    graph.kernelMode())));
  }
}

package org.tokentune.nn.internal;

import org.tokentune.ops.Residual;

/**
 * A transformer block whose residual stream is not normalised (Radford et al., 2019): {@code y = x
 * + afterAttention(output(attention(attentionNorm(x))))}, {@code z = y +
 * afterMlp(mlp(mlpNorm(y)))}. Norms may be {@link NetworkLayer#IDENTITY}.
 *
 * @param multiplier factor of both summands
 * @param dropout dropout rate on both summands
 * @param name name of the block, used for its dropout places
 */
public record ResidualBlock(
    NetworkLayer attentionNorm,
    SelfAttention attention,
    NetworkLayer output,
    NetworkLayer afterAttention,
    NetworkLayer mlpNorm,
    NetworkLayer mlp,
    NetworkLayer afterMlp,
    double multiplier,
    double dropout,
    String name) {

  /**
   * Rows [n, hidden] of each stream to rows of the same shape.
   *
   * @param queries the tokens, or only their selected stream if nothing reads the frozen one, or
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
    TokenStreams attended =
        add(graph, queries, context, output.then(afterAttention), DropoutPlaces.ATTENTION_OUTPUT);
    TokenStreams fed = attended.map(x -> mlpNorm.apply(graph, x));
    return add(graph, attended, fed, mlp.then(afterMlp), DropoutPlaces.FEED_FORWARD_OUTPUT);
  }

  private TokenStreams add(
      Graph graph, TokenStreams residual, TokenStreams x, NetworkLayer layer, String part) {
    return residual.map(
        x,
        (sum, rows) -> {
          TokenStream summand = graph.dropout(layer.apply(graph, rows), dropout, name + part);
          return sum.with(
              Residual.apply(
                  sum.rows(),
                  multiplier == 1 ? summand.rows() : summand.rows().mul(multiplier),
                  graph.kernelMode()));
        });
  }
}

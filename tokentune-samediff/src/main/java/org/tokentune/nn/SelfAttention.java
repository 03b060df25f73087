package org.tokentune.nn;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.tokentune.ops.Detach;
import org.tokentune.ops.MaskedSoftmax;

/**
 * Multi-head attention over two token streams: selected queries attend to the keys and values of
 * all tokens, with gradients through the selected ones; frozen queries attend to the same keys and
 * values, detached.
 *
 * @param query projections of hidden states [n, hidden] to [n, heads * head size]
 * @param place where this attention drops
 */
public record SelfAttention(
    Linear query, Linear key, Linear value, int heads, double dropout, String place) {

  /**
   * @param queries the streams that ask; a null frozen stream is not computed
   * @param tokens all tokens
   * @return contexts of the queries, [n, hidden]
   */
  public TokenStreams apply(
      Graph graph, TokenStreams queries, TokenStreams tokens, AttentionKeys keys) {
    SDVariable k = allTokens(graph, key, tokens);
    SDVariable v = allTokens(graph, value, tokens);
    TokenStream selected = attend(graph, queries.selected(), k, v, keys);
    if (queries.frozen() == null) {
      return new TokenStreams(selected, null);
    }
    TokenStream frozen = attend(graph, queries.frozen(), Detach.apply(k), Detach.apply(v), keys);
    return new TokenStreams(selected, frozen);
  }

  /** [batch, heads, length, head size], selected tokens first. */
  private SDVariable allTokens(Graph graph, Linear projection, TokenStreams tokens) {
    SDVariable selected = byHead(projection.apply(graph, tokens.selected()));
    return tokens.frozen() == null
        ? selected
        : graph.sd().concat(2, selected, byHead(projection.apply(graph, tokens.frozen())));
  }

  /** [batch, heads, count, head size]. */
  private SDVariable byHead(TokenStream stream) {
    return stream.bySequence(heads, stream.width() / heads).permute(0, 2, 1, 3);
  }

  private TokenStream attend(
      Graph graph, TokenStream asking, SDVariable k, SDVariable v, AttentionKeys keys) {
    SameDiff sd = graph.sd();
    TokenStream q = query.apply(graph, asking);
    SDVariable scores = sd.mmul(byHead(q), k, false, true, false); // [batch, heads, count, length]
    double scale = 1 / Math.sqrt((double) q.width() / heads);
    SDVariable weights = MaskedSoftmax.apply(scores, scale, keys.bias());
    SDVariable numbers = // of (query, head): [batch, heads, count, 1]
        q.bySequence(q.rowIds().mul(sd.constant(heads)), 1, 1)
            .permute(0, 2, 1, 3)
            .add(graph.numbers(heads).reshape(1, heads, 1, 1));
    SDVariable dropped = graph.dropout(weights, dropout, place, numbers, keys.positions());
    SDVariable context = sd.mmul(dropped, v).permute(0, 2, 1, 3);
    return q.with(context.reshape(-1, q.width()));
  }
}

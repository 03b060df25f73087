package org.tokentune.nn;

import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.Detach;
import org.tokentune.ops.JoinTokens;
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
    long width = tokens.selected().width(); // of keys and values too
    SDVariable batch = tokens.selected().counts().get(SDIndex.interval(0, 1));
    TokenStream selected =
        attend(graph, queries.selected(), byHead(k, batch, width), byHead(v, batch, width), keys);
    if (queries.frozen() == null) {
      return new TokenStreams(selected, null);
    }
    TokenStream frozen =
        attend(
            graph,
            queries.frozen(),
            byHead(Detach.apply(k), batch, width),
            byHead(Detach.apply(v), batch, width),
            keys);
    return new TokenStreams(selected, frozen);
  }

  /** [batch * length, hidden]: sequence by sequence, selected tokens first. */
  private static SDVariable allTokens(Graph graph, Linear projection, TokenStreams tokens) {
    TokenStream selected = projection.apply(graph, tokens.selected());
    return tokens.frozen() == null
        ? selected.rows()
        : JoinTokens.apply(
            selected.rows(),
            projection.apply(graph, tokens.frozen()).rows(),
            selected.bySequence(selected.rowIds()),
            graph.style());
  }

  /** Rows of sequences, [batch * length, hidden], as [batch, heads, length, head size]. */
  private SDVariable byHead(SDVariable rows, SDVariable batch, long width) {
    SameDiff sd = rows.getSameDiff();
    SDVariable rest = sd.constant(Nd4j.createFromArray(-1L, heads, width / heads));
    return sd.reshape(rows, sd.concat(0, batch, rest)).permute(0, 2, 1, 3);
  }

  private TokenStream attend(
      Graph graph, TokenStream asking, SDVariable k, SDVariable v, AttentionKeys keys) {
    SameDiff sd = graph.sd();
    TokenStream q = query.apply(graph, asking);
    SDVariable scores =
        sd.mmul(
            byHead(q.rows(), q.counts().get(SDIndex.interval(0, 1)), q.width()),
            k,
            false,
            true,
            false); // [batch, heads, count, length]
    double scale = 1 / Math.sqrt((double) q.width() / heads);
    SDVariable weights = MaskedSoftmax.apply(scores, scale, keys.bias(), graph.style());
    SDVariable numbers = // of (query, head): [batch, heads, count, 1]
        q.bySequence(q.rowIds().mul(sd.constant(heads)), 1, 1)
            .permute(0, 2, 1, 3)
            .add(graph.numbers(heads).reshape(1, heads, 1, 1));
    SDVariable dropped = graph.dropout(weights, dropout, place, numbers, keys.positions());
    SDVariable context = sd.mmul(dropped, v).permute(0, 2, 1, 3);
    return q.with(context.reshape(-1, q.width()));
  }
}

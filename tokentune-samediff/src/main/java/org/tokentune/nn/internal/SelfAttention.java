package org.tokentune.nn.internal;

import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.Detach;
import org.tokentune.ops.JoinTokens;
import org.tokentune.ops.MaskedSoftmax;
import org.tokentune.ops.SoftCap;
import org.tokentune.ops.TiledAttention;

/**
 * Multi-head attention over two token streams: selected queries attend to the keys and values of
 * all tokens, with gradients through the selected ones; frozen queries attend to the same keys and
 * values, detached.
 *
 * <p>Query heads may share keys and values in groups (Ainslie et al., 2023): query head h uses
 * those of head {@code h / (heads / keyValueHeads)}. The queries of a group become additional rows
 * of one matmul, so that keys and values are not copied for each head.
 *
 * @param query projection of hidden states [n, hidden] to [n, heads * head size]
 * @param key to [n, keyValueHeads * head size]
 * @param value to the same shape as the key
 * @param scale factor of the scores
 * @param softCap see {@link SoftCap}; 0 for no cap
 * @param positions what is added to the scores before they are scaled
 * @param place this attention's dropout place; also names its part of a cache
 */
public record SelfAttention(
    NetworkLayer query,
    NetworkLayer key,
    NetworkLayer value,
    int heads,
    int keyValueHeads,
    int headSize,
    double scale,
    double softCap,
    PositionScores positions,
    double dropout,
    String place) {

  /**
   * @param queries the query streams; a null frozen stream is not computed
   * @param tokens all tokens
   * @return contexts of the queries, [n, heads * head size]
   */
  public TokenStreams apply(
      Graph graph, TokenStreams queries, TokenStreams tokens, AttentionMask keys) {
    return tiled(graph)
        ? attendInTiles(graph, queries, tokens, keys)
        : attendByWeights(graph, queries, tokens, keys);
  }

  /**
   * Whether attention runs as {@link TiledAttention}. Its composition is for other backends, and
   * for additions to the scores that it does not have.
   */
  private boolean tiled(Graph graph) {
    return TiledAttention.isAvailable(graph.kernelMode()) && positions.isTiled();
  }

  private TokenStreams attendInTiles(
      Graph graph, TokenStreams queries, TokenStreams tokens, AttentionMask keys) {
    SDVariable k = selectedRows(graph, key, tokens, "key");
    SDVariable frozenK = frozenRows(graph, key, tokens);
    SDVariable v = selectedRows(graph, value, tokens, "value");
    SDVariable frozenV = frozenRows(graph, value, tokens);
    VisibleRanges ranges = keys.ranges();
    TiledAttention.Keys frozen =
        frozenK == null ? null : new TiledAttention.Keys(frozenK, frozenV, ranges.frozenKeys());
    TiledAttention.Keys selected = new TiledAttention.Keys(k, v, ranges.selectedKeys());
    TokenStream bySelected = attend(graph, queries.selected(), selected, frozen, keys);
    if (queries.frozen() == null) {
      return new TokenStreams(bySelected, null);
    }
    TiledAttention.Keys detached =
        new TiledAttention.Keys(
            Detach.apply(selected.keys()), Detach.apply(selected.values()), selected.places());
    return new TokenStreams(bySelected, attend(graph, queries.frozen(), detached, frozen, keys));
  }

  private TokenStream attend(
      Graph graph,
      TokenStream asking,
      TiledAttention.Keys selected,
      TiledAttention.Keys frozen,
      AttentionMask keys) {
    TokenStream q = query.apply(graph, asking);
    VisibleRanges.Range range = keys.ranges().of(q);
    return q.with(
        TiledAttention.apply(
            new TiledAttention.Settings(heads, keyValueHeads, scale, softCap),
            new TiledAttention.Queries(q.rows(), range.first(), range.last()),
            selected,
            frozen,
            positions.bias(graph, q),
            graph.weightDropout(dropout, place, rowNumbers(graph, q), keys.rowIds())));
  }

  private TokenStreams attendByWeights(
      Graph graph, TokenStreams queries, TokenStreams tokens, AttentionMask keys) {
    SDVariable k = allTokens(graph, key, tokens, "key");
    SDVariable v = allTokens(graph, value, tokens, "value");
    SDVariable batch = batch(tokens.selected());
    TokenStream selected =
        attend(graph, queries.selected(), k, byHead(v, batch), keys.selectedBias(), keys);
    if (queries.frozen() == null) {
      return new TokenStreams(selected, null);
    }
    TokenStream frozen =
        attend(
            graph,
            queries.frozen(),
            Detach.apply(k),
            byHead(Detach.apply(v), batch),
            keys.frozenBias(),
            keys);
    return new TokenStreams(selected, frozen);
  }

  /** Numbers of (query, head) for dropout: INT32 [batch, heads, count, 1]. */
  private SDVariable rowNumbers(Graph graph, TokenStream q) {
    return q.bySequence(q.rowIds().mul(graph.sd().constant(heads)), 1, 1)
        .permute(0, 2, 1, 3)
        .add(graph.numbers(heads).reshape(1, heads, 1, 1));
  }

  /** INT64 [1]. */
  private static SDVariable batch(TokenStream stream) {
    return stream.counts().get(SDIndex.interval(0, 1));
  }

  /**
   * [batch * length, width]: sequence by sequence, selected tokens first; including cached ones.
   */
  private SDVariable allTokens(
      Graph graph, NetworkLayer projection, TokenStreams tokens, String name) {
    SDVariable selected = selectedRows(graph, projection, tokens, name);
    SDVariable frozen = frozenRows(graph, projection, tokens);
    return frozen == null
        ? selected
        : JoinTokens.apply(
            selected,
            frozen,
            tokens.selected().bySequence(tokens.selected().rowIds()),
            graph.kernelMode());
  }

  /** Rows of the selected tokens; of the step's and all cached ones, if there is a cache. */
  private SDVariable selectedRows(
      Graph graph, NetworkLayer projection, TokenStreams tokens, String name) {
    TokenStream own = projection.apply(graph, tokens.selected());
    return graph.cache() == null
        ? own.rows()
        : graph.cache().all(place + "." + name, own, graph.kernelMode());
  }

  /** Rows of the frozen tokens; null if there are none. */
  private static SDVariable frozenRows(Graph graph, NetworkLayer projection, TokenStreams tokens) {
    return tokens.frozen() == null ? null : projection.apply(graph, tokens.frozen()).rows();
  }

  /** [batch * length, width] as [batch, keyValueHeads, length, head size]. */
  private SDVariable byHead(SDVariable rows, SDVariable batch) {
    return shape(rows, batch, -1, keyValueHeads, headSize).permute(0, 2, 1, 3);
  }

  private TokenStream attend(
      Graph graph,
      TokenStream asking,
      SDVariable keyRows,
      SDVariable v,
      SDVariable bias,
      AttentionMask keys) {
    SameDiff sd = graph.sd();
    TokenStream q = query.apply(graph, asking);
    SDVariable k = byHead(keyRows, batch(asking));
    SDVariable products = byQuery(sd.mmul(grouped(q), k, false, true, false), q);
    SDVariable scores = positions.add(graph, products, q, keyRows, keys);
    SDVariable weights =
        softCap == 0
            ? MaskedSoftmax.apply(scores, scale, bias, graph.kernelMode())
            : MaskedSoftmax.apply(
                SoftCap.apply(scores, scale, softCap, graph.kernelMode()),
                1,
                bias,
                graph.kernelMode());
    SDVariable dropped =
        graph.dropout(weights, dropout, place, rowNumbers(graph, q), keys.rowIds());
    return q.with(ungrouped(sd.mmul(byGroup(dropped, q), v), q));
  }

  private int group() {
    return heads / keyValueHeads;
  }

  /** Queries, [batch * count, width], as [batch, keyValueHeads, group * count, head size]. */
  private SDVariable grouped(TokenStream q) {
    SDVariable batch = batch(q);
    if (group() == 1) {
      return byHead(q.rows(), batch); // a view; the opposite order would need a copy
    }
    SDVariable byHead =
        shape(q.rows(), batch, -1, keyValueHeads, group(), headSize).permute(0, 2, 3, 1, 4);
    return shape(byHead, batch, keyValueHeads, -1, headSize);
  }

  /** Contexts in the layout of {@link #grouped}, converted back to [batch * count, width]. */
  private SDVariable ungrouped(SDVariable contexts, TokenStream q) {
    SDVariable byToken =
        group() == 1
            ? contexts.permute(0, 2, 1, 3)
            : shape(contexts, batch(q), keyValueHeads, group(), -1, headSize)
                .permute(0, 3, 1, 2, 4);
    return byToken.reshape(-1, q.width());
  }

  /** [batch, keyValueHeads, group * count, length] as [batch, heads, count, length]. */
  private SDVariable byQuery(SDVariable scores, TokenStream q) {
    SameDiff sd = scores.getSameDiff();
    return group() == 1
        ? scores
        : sd.reshape(scores, sd.concat(0, batch(q), sizes(sd, heads), count(q), sizes(sd, -1)));
  }

  /** The inverse of {@link #byQuery}. */
  private SDVariable byGroup(SDVariable weights, TokenStream q) {
    SameDiff sd = weights.getSameDiff();
    return group() == 1
        ? weights
        : sd.reshape(
            weights,
            sd.concat(0, batch(q), sizes(sd, keyValueHeads), count(q).mul(group()), sizes(sd, -1)));
  }

  /** INT64 [1]. */
  private static SDVariable count(TokenStream stream) {
    return stream.counts().get(SDIndex.interval(1, 2));
  }

  /** {@code x} as [batch, sizes...]. */
  private static SDVariable shape(SDVariable x, SDVariable batch, long... sizes) {
    SameDiff sd = x.getSameDiff();
    return sd.reshape(x, sd.concat(0, batch, sizes(sd, sizes)));
  }

  private static SDVariable sizes(SameDiff sd, long... sizes) {
    return sd.constant(Nd4j.createFromArray(sizes));
  }
}

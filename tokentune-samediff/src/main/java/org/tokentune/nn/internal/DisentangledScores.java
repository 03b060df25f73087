package org.tokentune.nn.internal;

import java.util.Map;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.Residual;
import org.tokentune.ops.TokenGather;

/**
 * Disentangled attention (DeBERTa: He et al., 2021, section 3.1): the product of the query and the
 * distance's key, and that of the key and the distance's query, where the distances' keys and
 * queries are projections of a table that all layers share.
 */
public final class DisentangledScores implements PositionScores {

  private final Embedding table;
  private final NetworkLayer norm;
  private final NetworkLayer query;
  private final NetworkLayer key;
  private final int heads;
  private final Distances distances;
  private final double dropout;
  private final String place;

  /** The places in the flattened products, which all layers share: by query stream. */
  private final Map<String, SDVariable> places;

  /**
   * @param table [kinds, hidden]
   * @param norm of its rows
   * @param query the layer's projection of queries
   * @param key the layer's projection of keys
   * @param dropout of the table's rows, at {@code place}
   * @param places of all layers of a graph; initially empty
   */
  public DisentangledScores(
      Embedding table,
      NetworkLayer norm,
      NetworkLayer query,
      NetworkLayer key,
      int heads,
      Distances distances,
      double dropout,
      String place,
      Map<String, SDVariable> places) {
    this.table = table;
    this.norm = norm;
    this.query = query;
    this.key = key;
    this.heads = heads;
    this.distances = distances;
    this.dropout = dropout;
    this.place = place;
    this.places = places;
  }

  @Override
  public SDVariable add(
      Graph graph, SDVariable scores, TokenStream queries, SDVariable keyRows, AttentionMask keys) {
    TokenStream kinds = kinds(graph, queries.differentiable());
    SDVariable ofQueries = products(graph, queries.rows(), key.apply(graph, kinds));
    SDVariable ofKeys = products(graph, keyRows, query.apply(graph, kinds));
    String stream = queries.rowIds().name();
    SDVariable kind = places.computeIfAbsent(stream, name -> distances.of(graph, queries, keys));
    SDVariable queryPlaces =
        places.computeIfAbsent(
            stream + " queries",
            name -> places(graph, kind, ofQueries, rowNumbers(graph, scores, 2)));
    SDVariable keyPlaces =
        places.computeIfAbsent(
            stream + " keys", name -> places(graph, kind, ofKeys, rowNumbers(graph, scores, 3)));
    SDVariable sum =
        Residual.apply(scores, at(graph, ofQueries, queryPlaces, scores), graph.kernelMode());
    return Residual.apply(sum, at(graph, ofKeys, keyPlaces, scores), graph.kernelMode());
  }

  /** The normalised table, as a stream of its rows: [kinds, hidden]. */
  private TokenStream kinds(Graph graph, boolean differentiable) {
    long[] shape = graph.shape(table.weight());
    SDVariable numbers = graph.numbers(shape[0]);
    SDVariable counts = graph.sd().constant(Nd4j.createFromArray(1L, shape[0]));
    TokenStream rows =
        new TokenStream(
            graph.parameter(table.weight(), differentiable),
            shape[1],
            counts,
            numbers,
            differentiable);
    return graph.dropout(norm.apply(graph, rows), dropout, place);
  }

  /** Rows [n, width] times rows of the kinds [kinds, width], by head: [1, heads, n, kinds]. */
  private SDVariable products(Graph graph, SDVariable rows, TokenStream kinds) {
    return graph.sd().mmul(byHead(rows, kinds), byHead(kinds.rows(), kinds), false, true, false);
  }

  private SDVariable byHead(SDVariable rows, TokenStream kinds) {
    return rows.reshape(1, -1, heads, kinds.width() / heads).permute(0, 2, 1, 3);
  }

  /**
   * INT32: the numbers of the queries (axis 2) or keys (axis 3) among all of the batch, [batch, 1,
   * queries, 1] or [batch, 1, 1, keys].
   */
  private static SDVariable rowNumbers(Graph graph, SDVariable scores, int axis) {
    SameDiff sd = graph.sd();
    SDVariable shape = sd.shape(scores).castTo(DataType.INT32);
    SDVariable batch = shape.get(SDIndex.interval(0, 1));
    SDVariable count = shape.get(SDIndex.interval(axis, axis + 1));
    SDVariable all = sd.prod(sd.concat(0, batch, count)).castTo(DataType.INT32);
    SDVariable numbers = sd.range(sd.constant(0), all, sd.constant(1), DataType.INT32);
    SDVariable one = sd.constant(Nd4j.createFromArray(1));
    return sd.reshape(
        numbers,
        axis == 2 ? sd.concat(0, batch, one, count, one) : sd.concat(0, batch, one, one, count));
  }

  /** INT32 [batch, heads, queries, keys]: places in flattened products. */
  private SDVariable places(
      Graph graph, SDVariable kind, SDVariable products, SDVariable rowNumbers) {
    SameDiff sd = graph.sd();
    SDVariable width = sd.sizeAt(products, 3).castTo(DataType.INT32);
    SDVariable rows = sd.sizeAt(products, 2).castTo(DataType.INT32);
    SDVariable head = graph.numbers(heads).reshape(1, heads, 1, 1);
    return head.mul(rows).add(rowNumbers).mul(width).add(kind);
  }

  private static SDVariable at(
      Graph graph, SDVariable products, SDVariable places, SDVariable scores) {
    SameDiff sd = graph.sd();
    SDVariable each =
        TokenGather.rows(products.reshape(-1, 1), places.reshape(-1), graph.kernelMode());
    return sd.reshape(each, sd.shape(scores));
  }
}

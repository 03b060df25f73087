package org.tokentune.nn.internal;

import java.util.HashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.Residual;
import org.tokentune.ops.TiledAttention;

/**
 * A score for each kind of distance and each head, the same in all layers (Raffel et al., 2020;
 * MPNet: Song et al., 2020).
 */
public final class DistanceScores implements PositionScores {

  private final Embedding table;
  private final Distances distances;
  private final double factor;
  private final Map<String, SDVariable> done = new HashMap<>();

  /**
   * @param table [kinds, heads]
   * @param factor of the scores: the inverse of that by which the sum is scaled afterwards
   */
  public DistanceScores(Embedding table, Distances distances, double factor) {
    this.table = table;
    this.distances = distances;
    this.factor = factor;
  }

  @Override
  public SDVariable add(
      Graph graph, SDVariable scores, TokenStream queries, SDVariable keyRows, AttentionMask keys) {
    SDVariable own =
        done.computeIfAbsent(queries.rowIds().name(), name -> scores(graph, scores, queries, keys));
    return Residual.apply(scores, own, graph.kernelMode());
  }

  @Override
  public boolean isTiled() {
    return true;
  }

  @Override
  public TiledAttention.DistanceBias bias(Graph graph, TokenStream queries) {
    return new TiledAttention.DistanceBias(
        graph.parameter(table.weight(), queries.differentiable()),
        distances.table(graph),
        queries.bySequence(queries.rowIds()));
  }

  /** [batch, heads, queries, keys]. */
  private SDVariable scores(
      Graph graph, SDVariable scores, TokenStream queries, AttentionMask keys) {
    SDVariable kinds = distances.of(graph, queries, keys); // [batch, 1, queries, keys]
    SDVariable rows = table.rows(graph, kinds.reshape(-1), queries.differentiable());
    SDVariable byPair =
        graph
            .sd()
            .reshape(
                rows.mul(factor),
                graph
                    .sd()
                    .concat(0, size(scores, 0), size(scores, 2), size(scores, 3), size(scores, 1)));
    return byPair.permute(0, 3, 1, 2);
  }

  /** INT64 [1]. */
  private static SDVariable size(SDVariable x, int axis) {
    return x.getSameDiff().shape(x).get(SDIndex.interval(axis, axis + 1));
  }
}

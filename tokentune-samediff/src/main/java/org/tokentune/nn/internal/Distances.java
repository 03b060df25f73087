package org.tokentune.nn.internal;

import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.TokenGather;

/**
 * The kinds of distances between two tokens of a text.
 *
 * @param kinds of the distances from {@code 1 - length} to {@code length - 1}
 */
public record Distances(int[] kinds) {

  /**
   * MPNet's: half of the buckets for either direction, of which the first half are single distances
   * (source: transformers' {@code relative_position_bucket}).
   *
   * @param buckets their number
   * @param most from which on there is one bucket
   * @param length the greatest number of tokens in a text
   */
  public static Distances mpnet(int buckets, int most, int length) {
    int half = buckets / 2;
    int exact = half / 2;
    return of(
        length,
        distance -> {
          int n = Math.abs(distance);
          int kind = n;
          if (n >= exact) {
            double share = (float) Math.log((float) n / exact) / Math.log((double) most / exact);
            kind = Math.min(exact + (int) (share * (half - exact)), half - 1);
          }
          return distance < 0 ? half + kind : kind;
        });
  }

  /**
   * DeBERTa's: up to half of the buckets single distances, then logarithmic (source: transformers'
   * {@code make_log_bucket_position}).
   *
   * @param span the buckets of one direction
   * @param most the greatest distance
   * @param length the greatest number of tokens in a text
   */
  public static Distances logarithmic(int span, int most, int length) {
    int mid = span / 2;
    return of(
        length,
        distance -> {
          int bucket = distance;
          if (Math.abs(distance) > mid) {
            double log =
                Math.ceil(
                    (float)
                        (Math.log((double) Math.abs(distance) / mid)
                            / Math.log((double) (most - 1) / mid)
                            * (mid - 1)));
            bucket = Integer.signum(distance) * ((int) log + mid);
          }
          return Math.max(0, Math.min(2 * span - 1, bucket + span));
        });
  }

  /** Distances themselves, up to a greatest one. */
  public static Distances plain(int span, int length) {
    return of(length, distance -> Math.max(0, Math.min(2 * span - 1, distance + span)));
  }

  private static Distances of(int length, IntUnaryOperator kind) {
    return new Distances(IntStream.range(1 - length, length).map(kind).toArray());
  }

  /** INT32 [batch, 1, queries, keys]: the kinds of the distances, query's place minus key's. */
  SDVariable of(Graph graph, TokenStream queries, AttentionMask keys) {
    int middle = kinds.length / 2; // the place of distance 0
    SDVariable distances = AttentionMask.places(queries).sub(keys.rowIds()).add(middle);
    SDVariable flat = TokenGather.elements(table(graph), distances.reshape(-1));
    return graph.sd().reshape(flat, graph.sd().shape(distances));
  }

  /** INT32 [1, 2 * length - 1]: the kinds. */
  SDVariable table(Graph graph) {
    String name = "kinds of distances";
    return graph.sd().hasVariable(name)
        ? graph.sd().getVariable(name)
        : graph.sd().constant(name, Nd4j.createFromArray(new int[][] {kinds}));
  }
}

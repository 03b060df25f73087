package org.tokentune.nn.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;

/** Several layers as a single matmul, packed into the columns of its result. */
public final class PackedLinear {

  private final Linear packed;
  private final int[] shares;
  private final Map<String, List<TokenStream>> done = new HashMap<>();

  /**
   * @param shares widths of the layers' results, relative to one another
   */
  public PackedLinear(Linear packed, int... shares) {
    this.packed = packed;
    this.shares = shares.clone();
  }

  /** One of the layers, counted from 0. The matmul is shared by all layers with the same input. */
  public NetworkLayer part(int number) {
    return (graph, x) -> done.computeIfAbsent(x.rows().name(), name -> split(graph, x)).get(number);
  }

  private List<TokenStream> split(Graph graph, TokenStream x) {
    TokenStream all = packed.apply(graph, x);
    int units = Arrays.stream(shares).sum();
    SDVariable[] columns = graph.sd().split(all.rows(), units, 1);
    List<TokenStream> parts = new ArrayList<>();
    int from = 0;
    for (int share : shares) {
      SDVariable[] own = Arrays.copyOfRange(columns, from, from + share);
      SDVariable rows = share == 1 ? own[0] : graph.sd().concat(1, own);
      parts.add(all.with(rows, all.width() / units * share));
      from += share;
    }
    return parts;
  }
}

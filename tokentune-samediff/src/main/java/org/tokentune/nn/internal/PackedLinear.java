package org.tokentune.nn.internal;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Several layers of equal width as a single matmul, packed into the columns of its weight. */
public final class PackedLinear {

  private final Linear packed;
  private final int parts;
  private final Map<String, List<TokenStream>> done = new HashMap<>();

  /**
   * @param parts number of layers, all of equal width
   */
  public PackedLinear(Linear packed, int parts) {
    this.packed = packed;
    this.parts = parts;
  }

  /** One of the layers, counted from 0. The matmul is shared by all layers with the same input. */
  public NetworkLayer part(int number) {
    return (graph, x) -> done.computeIfAbsent(x.rows().name(), name -> split(graph, x)).get(number);
  }

  private List<TokenStream> split(Graph graph, TokenStream x) {
    TokenStream all = packed.apply(graph, x);
    return Arrays.stream(graph.sd().split(all.rows(), parts, 1))
        .map(rows -> all.with(rows, all.width() / parts))
        .toList();
  }
}

package org.tokentune.nn.internal;

import org.tokentune.nn.ActivationFunction;

/** The feed-forward layers of transformers. */
public final class FeedForward {

  private FeedForward() {}

  /** {@code out(activation(in(x)))} (Vaswani et al., 2017). */
  public static NetworkLayer plain(
      NetworkLayer in, ActivationFunction activation, NetworkLayer out) {
    return (graph, x) -> out.apply(graph, activation.apply(graph, in.apply(graph, x)));
  }

  /** {@code out(activation(gate(x)) * up(x))} (Shazeer, 2020). */
  public static NetworkLayer gated(
      NetworkLayer gate, ActivationFunction activation, NetworkLayer up, NetworkLayer out) {
    return (graph, x) -> {
      TokenStream gates = gate.apply(graph, x);
      TokenStream values = up.apply(graph, x);
      return out.apply(graph, values.with(activation.gate(graph, gates.rows(), values.rows())));
    };
  }
}

package org.tokentune.nn.internal;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.LayerNormOps;

/**
 * Layer normalisation with gain {@code name.weight} and, if biased, bias {@code name.bias}, both
 * [width].
 */
public record LayerNorm(String name, double epsilon, boolean biased) implements NetworkLayer {

  @Override
  public TokenStream apply(Graph graph, TokenStream x) {
    return apply(graph, x, null);
  }

  /**
   * Rows [n, width] to [n, width].
   *
   * @param residual added to {@code x} first; null for none
   */
  public TokenStream apply(Graph graph, TokenStream x, TokenStream residual) {
    SDVariable gain = graph.parameter(name + ".weight", x.differentiable());
    SDVariable bias = biased ? graph.parameter(name + ".bias", x.differentiable()) : null;
    return x.with(
        LayerNormOps.apply(
            x.rows(),
            residual == null ? null : residual.rows(),
            gain,
            bias,
            epsilon,
            graph.kernelMode()));
  }
}

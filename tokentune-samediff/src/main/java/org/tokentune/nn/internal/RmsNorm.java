package org.tokentune.nn.internal;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.RmsNormOps;

/** Root mean square normalisation with gain {@code name.weight} [width]; rows [n, width]. */
public record RmsNorm(String name, double epsilon) implements NetworkLayer {

  @Override
  public TokenStream apply(Graph graph, TokenStream x) {
    SDVariable gain = graph.parameter(name + ".weight", x.differentiable());
    return x.with(RmsNormOps.apply(x.rows(), null, gain, epsilon, graph.kernelMode()));
  }
}

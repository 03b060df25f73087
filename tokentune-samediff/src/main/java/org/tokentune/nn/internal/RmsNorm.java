package org.tokentune.nn.internal;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.RmsNormOps;

/**
 * Root mean square normalisation with gain {@code name.weight} [width]; rows [n, width].
 *
 * @param addsOne whether the gain is stored with 1 subtracted
 */
public record RmsNorm(String name, double epsilon, boolean addsOne) implements NetworkLayer {

  @Override
  public TokenStream apply(Graph graph, TokenStream x) {
    SDVariable stored = graph.parameter(name + ".weight", x.differentiable());
    SDVariable gain = addsOne ? stored.add(1) : stored;
    return x.with(RmsNormOps.apply(x.rows(), null, gain, epsilon, graph.kernelMode()));
  }
}

package org.tokentune.nn;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.BiasAdd;

/**
 * {@code y = x W^T + b}.
 *
 * <p>Shapes: rows [n, in]; {@code name.weight} [out, in]; {@code name.bias} [out]; the result is
 * [n, out].
 */
public record Linear(String name) {

  public TokenStream apply(Graph graph, TokenStream x) {
    SDVariable weight = graph.parameter(name + ".weight", x.differentiable());
    SDVariable bias = graph.parameter(name + ".bias", x.differentiable());
    SDVariable product = graph.sd().mmul(x.rows(), weight, false, true, false);
    SDVariable rows = BiasAdd.apply(product, bias, graph.style());
    return x.with(rows, bias.getShape()[0]);
  }
}

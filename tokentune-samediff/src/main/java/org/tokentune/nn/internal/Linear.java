package org.tokentune.nn.internal;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.BiasAdd;

/**
 * {@code y = x W^T + b}, or {@code y = x W + b} if weights are stored input first.
 *
 * <p>The graph's {@link LinearAdapter} may add to the result.
 *
 * <p>Shapes: rows [n, in]; the weight [out, in] or [in, out]; the bias [out]; the result is [n,
 * out].
 *
 * @param weight name of the weight
 * @param bias name of the bias; null for none
 * @param inputFirst whether the weight is [in, out]
 */
public record Linear(String weight, String bias, boolean inputFirst) implements NetworkLayer {

  /** With {@code name.weight} [out, in] and {@code name.bias}. */
  public Linear(String name) {
    this(name + ".weight", name + ".bias", false);
  }

  /** With {@code name.weight} [out, in] and, if biased, {@code name.bias}. */
  public static Linear of(String name, boolean biased) {
    return new Linear(name + ".weight", biased ? name + ".bias" : null, false);
  }

  /** GPT-2's {@code Conv1D}: {@code name.weight} [in, out] and {@code name.bias}. */
  public static Linear inputFirst(String name) {
    return new Linear(name + ".weight", name + ".bias", true);
  }

  @Override
  public TokenStream apply(Graph graph, TokenStream x) {
    SDVariable weights = graph.parameter(weight, x.differentiable());
    SDVariable product = graph.sd().mmul(x.rows(), weights, false, !inputFirst, false);
    long out = graph.shape(weight)[inputFirst ? 1 : 0];
    SDVariable biased =
        bias == null
            ? product
            : BiasAdd.apply(product, graph.parameter(bias, x.differentiable()), graph.kernelMode());
    return graph.adapter().apply(graph, weight, x, x.with(biased, out));
  }
}

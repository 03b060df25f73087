package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.ops.internal.FusedSoftmax;
import org.tokentune.ops.internal.FusedSoftmaxGrad;

/**
 * Attention weights: {@code softmax(scale * scores + bias)} over the last dimension, where the bias
 * is 0 for visible keys and very negative for masked ones (Vaswani et al., 2017, section 3.2.1):
 * {@link #bias}.
 *
 * <p>Shapes: {@code scores} [batch, heads, queries, keys], {@code bias} [batch, 1, 1 or queries,
 * keys]; the result has the shape of the scores. A row without visible keys gets the plain softmax
 * of its scores, never NaN.
 *
 * <p>Native form: a composition over {@code softmax}. SameDiff differentiates it. Fused form:
 * {@link FusedSoftmax} and {@link FusedSoftmaxGrad}, which reads only the weights. The bias has no
 * gradient.
 */
public final class MaskedSoftmax {

  /**
   * Far below any score and far above the lowest float: masked weights are exactly 0, and sums stay
   * finite.
   */
  private static final double MASKED = -1e9;

  private MaskedSoftmax() {}

  /** The native form. */
  public static SDVariable apply(SDVariable scores, double scale, SDVariable bias) {
    required(scores, "scores");
    required(bias, "bias");

    return scores.getSameDiff().nn().softmax(scores.mul(scale).add(bias), -1);
  }

  /** As {@link #apply(SDVariable, double, SDVariable)}. */
  public static SDVariable apply(
      SDVariable scores, double scale, SDVariable bias, KernelMode kernelMode) {
    required(scores, "scores");
    required(bias, "bias");
    required(kernelMode, "kernelMode");

    if (kernelMode == KernelMode.NATIVE) {
      return apply(scores, scale, bias);
    }
    Ops.register();
    return new FusedSoftmax(scores.getSameDiff(), scores, scale, bias).outputVariable();
  }

  /**
   * Converts a mask to a bias of the same shape: 0 where the mask is 1, very negative where it is
   * 0. For a row (the last dimension) of zeros it is 0 everywhere: with a constant bias of -1e9,
   * the scores would be rounded away in FLOAT, and ND4J's softmax gives NaN in DOUBLE.
   *
   * @param mask [batch, 1, 1 or queries, keys]: 1 for visible keys, 0 for masked ones; any number
   *     type
   * @param type FLOAT or DOUBLE, as the scores
   */
  public static SDVariable bias(SDVariable mask, DataType type) {
    required(mask, "mask");
    required(type, "type");

    SDVariable open = mask.castTo(type);
    // Not axis -1: SameDiff's reductions with kept dimensions then give wrong values.
    return open.sub(open.max(true, 3)).mul(-MASKED);
  }
}

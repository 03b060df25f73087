package org.tokentune.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Attention weights: {@code softmax(scale * scores + bias)} over the last dimension, where the bias
 * is 0 for keys that may be attended to and very negative for the others (Vaswani et al., 2017,
 * section 3.2.1): {@link #bias}.
 *
 * <p>Shapes: {@code scores} [batch, heads, queries, keys], {@code bias} [batch, 1, 1 or queries,
 * keys]; the result is as the scores. A row without any key to attend to gets the plain softmax of
 * its scores, never NaN.
 *
 * <p>Native form: a composition over {@code softmax}. SameDiff differentiates it. Fused form:
 * {@link FusedSoftmax} and {@link FusedSoftmaxGrad}, which reads the weights only. The bias has no
 * gradient.
 */
public final class MaskedSoftmax {

  /**
   * Far below any score, far above the least float: weights behind it are exactly 0, and sums stay
   * finite.
   */
  private static final double MASKED = -1e9;

  private MaskedSoftmax() {}

  /** The native form. */
  public static SDVariable apply(SDVariable scores, double scale, SDVariable bias) {
    return scores.getSameDiff().nn().softmax(scores.mul(scale).add(bias), -1);
  }

  /** As {@link #apply(SDVariable, double, SDVariable)}. */
  public static SDVariable apply(
      SDVariable scores, double scale, SDVariable bias, KernelMode kernelMode) {
    if (kernelMode == KernelMode.NATIVE) {
      return apply(scores, scale, bias);
    }
    Ops.register();
    return new FusedSoftmax(scores.getSameDiff(), scores, scale, bias).outputVariable();
  }

  /**
   * The bias of a mask, of the same shape: 0 where the mask is 1, very negative where it is 0. In a
   * row (the last dimension) of zeros it is 0 everywhere: beside an equal bias of -1e9 the scores
   * would vanish in FLOAT, and ND4J's softmax gives NaN in DOUBLE.
   *
   * @param mask [batch, 1, 1 or queries, keys]: 1 for keys that may be attended to, 0 for the
   *     others; any number type
   * @param type FLOAT or DOUBLE, that of the scores
   */
  public static SDVariable bias(SDVariable mask, DataType type) {
    SDVariable open = mask.castTo(type);
    // Not axis -1: with dimensions kept, SameDiff's reductions then give wrong values.
    return open.sub(open.max(true, 3)).mul(-MASKED);
  }
}

package org.tokentune.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Attention weights: {@code softmax(scale * scores + bias)} over the last dimension, where the bias
 * is 0 for keys that may be attended to and very negative for the others (Vaswani et al., 2017,
 * section 3.2.1).
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

  public static SDVariable apply(SDVariable scores, double scale, SDVariable bias) {
    return scores.getSameDiff().nn().softmax(scores.mul(scale).add(bias), -1);
  }

  /** As {@link #apply(SDVariable, double, SDVariable)}. */
  public static SDVariable apply(SDVariable scores, double scale, SDVariable bias, Style style) {
    if (style == Style.NATIVE) {
      return apply(scores, scale, bias);
    }
    Ops.register();
    return new FusedSoftmax(scores.getSameDiff(), scores, scale, bias).outputVariable();
  }

  /** The bias of a mask: 0 where the mask is 1, very negative where it is 0; the shape stays. */
  public static SDVariable bias(SDVariable mask, DataType type) {
    return mask.castTo(type).sub(1.0).mul(-MASKED);
  }
}

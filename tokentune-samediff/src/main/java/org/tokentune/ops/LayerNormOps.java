package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.internal.Affine;
import org.tokentune.ops.internal.FusedNorm;

/**
 * Layer normalisation over the last dimension: {@code y = (x - mean) / sqrt(variance + epsilon) *
 * gain + bias}, with the biased variance (Ba et al., 2016).
 *
 * <p>Shapes: {@code x} [rows, hidden], {@code gain} and {@code bias} [hidden]; the result has the
 * shape of {@code x}. The native form needs a hidden size above 1: SameDiff cannot reduce a single
 * column.
 *
 * <p>Native form: a composition, because ND4J's {@code layer_norm} has no epsilon. SameDiff
 * differentiates it. It multiplies by the inverse deviation, because ND4J's gradient of a division
 * is wrong if the divisor has one element, which happens with a single row. Fused form: {@link
 * FusedNorm}, then {@link Affine}, so that the gradients need only the normalised rows.
 */
public final class LayerNormOps {

  private LayerNormOps() {}

  /**
   * The native form.
   *
   * @param bias [hidden], or null for none
   * @param epsilon added to the variance
   */
  public static SDVariable apply(SDVariable x, SDVariable gain, SDVariable bias, double epsilon) {
    required(x, "x");
    required(gain, "gain");

    SDVariable centred = x.sub(x.mean(true, 1));
    SDVariable variance = centred.mul(centred).mean(true, 1);
    SDVariable inverse = x.getSameDiff().math().rsqrt(variance.add(epsilon));
    SDVariable scaled = centred.mul(inverse).mul(gain);
    return bias == null ? scaled : scaled.add(bias);
  }

  /**
   * Normalises {@code x + residual}.
   *
   * @param residual shape of {@code x}, or null for none
   * @param bias [hidden], or null for none
   * @param epsilon added to the variance
   */
  public static SDVariable apply(
      SDVariable x,
      SDVariable residual,
      SDVariable gain,
      SDVariable bias,
      double epsilon,
      KernelMode kernelMode) {
    required(x, "x");
    required(gain, "gain");
    required(kernelMode, "kernelMode");

    if (kernelMode == KernelMode.NATIVE) {
      return apply(residual == null ? x : x.add(residual), gain, bias, epsilon);
    }
    Ops.register();
    SDVariable rows = FusedNorm.rows(x, residual, epsilon, true);
    Affine affine =
        bias == null
            ? new Affine(x.getSameDiff(), rows, gain)
            : new Affine(x.getSameDiff(), rows, gain, bias);
    return affine.outputVariable();
  }
}

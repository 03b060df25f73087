package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.internal.Affine;
import org.tokentune.ops.internal.FusedNorm;

/**
 * Root mean square normalisation over the last dimension: {@code y = x / sqrt(mean(x^2) + epsilon)
 * * gain} (Zhang and Sennrich, 2019).
 *
 * <p>Shapes: {@code x} [rows, hidden], {@code gain} [hidden]; the result has the shape of {@code
 * x}. The native form needs a hidden size above 1: SameDiff cannot reduce a single column.
 *
 * <p>Native form: a composition that multiplies instead of dividing, as in {@link LayerNormOps}.
 * SameDiff differentiates it. Fused form: {@link FusedNorm}, then {@link Affine}.
 */
public final class RmsNormOps {

  private RmsNormOps() {}

  /**
   * Normalises {@code x + residual}.
   *
   * @param residual shape of {@code x}, or null for none
   * @param epsilon added to the mean square
   */
  public static SDVariable apply(
      SDVariable x, SDVariable residual, SDVariable gain, double epsilon, KernelMode kernelMode) {
    required(x, "x");
    required(gain, "gain");
    required(kernelMode, "kernelMode");

    if (kernelMode == KernelMode.FUSED) {
      Ops.register();
      SDVariable rows = FusedNorm.rows(x, residual, epsilon, false);
      return new Affine(x.getSameDiff(), rows, gain).outputVariable();
    }
    SDVariable sum = residual == null ? x : x.add(residual);
    SDVariable square = sum.mul(sum).mean(true, 1);
    return sum.mul(x.getSameDiff().math().rsqrt(square.add(epsilon))).mul(gain);
  }
}

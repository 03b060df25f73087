package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.tokentune.ops.internal.FusedGelu;
import org.tokentune.ops.internal.FusedGeluGrad;

/**
 * Gaussian error linear unit (Hendrycks and Gimpel, 2016), elementwise: {@code x} of any shape to
 * the same shape.
 *
 * <p>Native form: compositions. ND4J's {@code GELU} is {@code x * sigmoid(1.702 x)} and its {@code
 * PreciseGELU} cubes the wrong term: pretrained models use neither. SameDiff differentiates the
 * compositions. Fused form: {@link FusedGelu} and {@link FusedGeluGrad}, which reads the input, not
 * the output.
 */
public final class Gelu {

  private Gelu() {}

  /** {@code x / 2 * (1 + erf(x / sqrt(2)))}: Hugging Face's {@code gelu}. */
  public static SDVariable exact(SDVariable x) {
    required(x, "x");

    SameDiff sd = x.getSameDiff();
    return x.mul(0.5).mul(sd.math().erf(x.mul(Math.sqrt(0.5))).add(1.0));
  }

  /**
   * {@code x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))}: Hugging Face's {@code gelu_new}.
   */
  public static SDVariable tanh(SDVariable x) {
    required(x, "x");

    SameDiff sd = x.getSameDiff();
    SDVariable inner = x.mul(x.mul(x).mul(0.044715).add(1.0)).mul(Math.sqrt(2 / Math.PI));
    return x.mul(0.5).mul(sd.math().tanh(inner).add(1.0));
  }

  /** As {@link #exact(SDVariable)}. */
  public static SDVariable exact(SDVariable x, KernelMode kernelMode) {
    required(x, "x");
    required(kernelMode, "kernelMode");

    return kernelMode == KernelMode.NATIVE ? exact(x) : fused(x, true);
  }

  /** As {@link #tanh(SDVariable)}. */
  public static SDVariable tanh(SDVariable x, KernelMode kernelMode) {
    required(x, "x");
    required(kernelMode, "kernelMode");

    return kernelMode == KernelMode.NATIVE ? tanh(x) : fused(x, false);
  }

  private static SDVariable fused(SDVariable x, boolean exact) {
    Ops.register();
    return new FusedGelu(x.getSameDiff(), x, exact).outputVariable();
  }
}

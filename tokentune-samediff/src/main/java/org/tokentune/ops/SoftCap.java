package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.BadSettingsException;
import org.tokentune.ops.internal.FusedSoftCap;
import org.tokentune.ops.internal.FusedSoftCapGrad;

/**
 * A soft cap, elementwise: {@code cap * tanh(factor * x / cap)}, which stays between -cap and cap
 * (Gemma 2: Gemma Team, 2024, section 2).
 *
 * <p>Native form: a composition. SameDiff differentiates it. Fused form: {@link FusedSoftCap} and
 * {@link FusedSoftCapGrad}, which reads only the result.
 */
public final class SoftCap {

  private SoftCap() {}

  /**
   * Caps {@code factor * x}, of any shape.
   *
   * @param cap above 0
   */
  public static SDVariable apply(SDVariable x, double factor, double cap, KernelMode kernelMode) {
    required(x, "x");
    required(kernelMode, "kernelMode");
    if (!(cap > 0)) {
      throw BadSettingsException.of("cap", "must be above 0, got %s.", cap);
    }
    if (kernelMode == KernelMode.NATIVE) {
      return x.getSameDiff().math().tanh(x.mul(factor / cap)).mul(cap);
    }
    Ops.register();
    return new FusedSoftCap(x.getSameDiff(), x, factor, cap).outputVariable();
  }
}

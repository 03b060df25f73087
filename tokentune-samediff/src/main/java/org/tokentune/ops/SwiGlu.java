package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.internal.FusedSwiGlu;
import org.tokentune.ops.internal.FusedSwiGluGrad;

/**
 * Gated linear unit: {@code silu(gate) * up}, {@code silu(x) = x * sigmoid(x)} (Shazeer, 2020),
 * elementwise.
 *
 * <p>Native form: a composition. SameDiff differentiates it. Fused form: {@link FusedSwiGlu} and
 * {@link FusedSwiGluGrad}.
 */
public final class SwiGlu {

  private SwiGlu() {}

  /** {@code gate} and {@code up} [n, m] to [n, m]. */
  public static SDVariable apply(SDVariable gate, SDVariable up, KernelMode kernelMode) {
    required(gate, "gate");
    required(up, "up");
    required(kernelMode, "kernelMode");

    if (kernelMode == KernelMode.NATIVE) {
      return gate.mul(gate.getSameDiff().nn().sigmoid(gate)).mul(up);
    }
    Ops.register();
    return new FusedSwiGlu(gate.getSameDiff(), gate, up).outputVariable();
  }
}

package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.internal.FusedGatedLinearUnit;
import org.tokentune.ops.internal.FusedGatedLinearUnitGrad;
import org.tokentune.ops.internal.kernels.ActivationKernel;

/**
 * Gated linear units: {@code f(gate) * up}, elementwise (Shazeer, 2020).
 *
 * <p>Native form: a composition. SameDiff differentiates it. Fused form: {@link
 * FusedGatedLinearUnit} and {@link FusedGatedLinearUnitGrad}.
 */
public final class GatedLinearUnit {

  private GatedLinearUnit() {}

  /** SwiGLU, {@code f(x) = x * sigmoid(x)}: {@code gate} and {@code up} [n, m] to [n, m]. */
  public static SDVariable swiGlu(SDVariable gate, SDVariable up, KernelMode kernelMode) {
    required(gate, "gate");
    required(up, "up");
    required(kernelMode, "kernelMode");
    return kernelMode == KernelMode.NATIVE
        ? gate.mul(gate.getSameDiff().nn().sigmoid(gate)).mul(up)
        : fused(gate, up, ActivationKernel.SILU);
  }

  /** GeGLU, with {@link Gelu#exact(SDVariable)}: {@code gate} and {@code up} [n, m] to [n, m]. */
  public static SDVariable geGlu(SDVariable gate, SDVariable up, KernelMode kernelMode) {
    required(gate, "gate");
    required(up, "up");
    required(kernelMode, "kernelMode");
    return kernelMode == KernelMode.NATIVE
        ? Gelu.exact(gate).mul(up)
        : fused(gate, up, ActivationKernel.GELU);
  }

  /** GeGLU, with {@link Gelu#tanh(SDVariable)}: {@code gate} and {@code up} [n, m] to [n, m]. */
  public static SDVariable geGluTanh(SDVariable gate, SDVariable up, KernelMode kernelMode) {
    required(gate, "gate");
    required(up, "up");
    required(kernelMode, "kernelMode");
    return kernelMode == KernelMode.NATIVE
        ? Gelu.tanh(gate).mul(up)
        : fused(gate, up, ActivationKernel.GELU_TANH);
  }

  private static SDVariable fused(SDVariable gate, SDVariable up, ActivationKernel activation) {
    Ops.register();
    return new FusedGatedLinearUnit(gate.getSameDiff(), gate, up, activation).outputVariable();
  }
}

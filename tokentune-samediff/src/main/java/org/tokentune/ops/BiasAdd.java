package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.internal.BiasGrad;
import org.tokentune.ops.internal.FusedBiasAdd;

/**
 * Adds a bias to every row: {@code y[i, j] = x[i, j] + bias[j]}.
 *
 * <p>Gradients: {@code dX = dY}, {@code dBias[j] = sum_i dY[i, j]}.
 *
 * <p>Native form: {@code add}, which SameDiff differentiates. Fused form: {@link FusedBiasAdd} and
 * {@link BiasGrad}, the latter only for a trained bias.
 */
public final class BiasAdd {

  private BiasAdd() {}

  /** {@code x} [n, m] and {@code bias} [m] to [n, m]. */
  public static SDVariable apply(SDVariable x, SDVariable bias, KernelMode kernelMode) {
    required(x, "x");
    required(bias, "bias");
    required(kernelMode, "kernelMode");

    if (kernelMode == KernelMode.NATIVE) {
      return x.add(bias);
    }
    Ops.register();
    return new FusedBiasAdd(x.getSameDiff(), x, bias).outputVariable();
  }
}

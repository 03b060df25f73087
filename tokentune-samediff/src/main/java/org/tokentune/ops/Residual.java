package org.tokentune.ops;

import static org.tokentune.Arguments.required;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.internal.FusedAdd;

/**
 * A residual connection: {@code x + y} of equal shapes (He et al., 2016).
 *
 * <p>Native form: {@code add}; SameDiff's gradient op reads the shapes of both summands and
 * therefore stores them. Fused form: {@link FusedAdd}, whose gradient is the upstream gradient
 * itself.
 */
public final class Residual {

  private Residual() {}

  public static SDVariable apply(SDVariable x, SDVariable y, KernelMode kernelMode) {
    required(x, "x");
    required(y, "y");
    required(kernelMode, "kernelMode");

    if (kernelMode == KernelMode.NATIVE) {
      return x.add(y);
    }
    Ops.register();
    return new FusedAdd(x.getSameDiff(), x, y).outputVariable();
  }
}

package org.tokentune.ops;

import org.nd4j.autodiff.samediff.SDVariable;

/**
 * A residual connection: {@code x + y}, both of one shape (He et al., 2016).
 *
 * <p>Native form: {@code add}; its gradient op, SameDiff's, reads both summands' shapes and so
 * keeps them. Fused form: {@link FusedAdd}, whose gradient is the upstream gradient itself.
 */
public final class Residual {

  private Residual() {}

  public static SDVariable apply(SDVariable x, SDVariable y, KernelMode kernelMode) {
    if (kernelMode == KernelMode.NATIVE) {
      return x.add(y);
    }
    Ops.register();
    return new FusedAdd(x.getSameDiff(), x, y).outputVariable();
  }
}

package org.tokentune.ops.internal.optimizers;

import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * The optimizer step of gradient descent: {@code p = keep * p - rate * g}, where {@code keep} is 1
 * without weight decay.
 *
 * <p>Native form: in-place ops. Fused form: one pass over both arrays.
 */
public final class SgdStep {

  private SgdStep() {}

  /**
   * Changes the parameter in place; the gradient may be overwritten.
   *
   * @param parameter FLOAT, or DOUBLE, which takes the native form
   * @param gradient shape and type of the parameter
   */
  public static void run(INDArray parameter, double keep, INDArray gradient, double rate) {
    if (KernelMode.preferred() == KernelMode.FUSED && parameter.dataType() == DataType.FLOAT) {
      float kept = (float) keep;
      float factor = (float) rate;
      Tiles.run(
          List.of(gradient, parameter),
          List.of(parameter),
          (tile, length) -> move(tile[0], tile[1], tile[2], kept, factor, length));
      return;
    }
    if (keep != 1) {
      parameter.muli(keep);
    }
    parameter.subi(gradient.muli(rate));
  }

  private static void move(float[] g, float[] p, float[] newP, float keep, float rate, int length) {
    for (int i = 0; i < length; i++) {
      newP[i] = keep * p[i] - rate * g[i];
    }
  }
}

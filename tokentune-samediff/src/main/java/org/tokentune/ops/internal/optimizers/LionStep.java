package org.tokentune.ops.internal.optimizers;

import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * Lion's optimizer step (Chen et al., Symbolic discovery of optimization algorithms, 2023): {@code
 * p -= rate * (sign(b1 m + (1 - b1) g) + decay * p); m = b2 m + (1 - b2) g}.
 *
 * <p>Native form: a composition. Fused form: one pass over the three arrays.
 */
public final class LionStep {

  private LionStep() {}

  /**
   * Changes the parameter and its mean in place; the gradient may be overwritten.
   *
   * @param parameter FLOAT, or DOUBLE, which takes the native form
   * @param gradient shape and type of the parameter
   * @param mean running mean of the gradients, in the parameter's shape, initially 0
   */
  public static void run(
      INDArray parameter,
      INDArray gradient,
      INDArray mean,
      double rate,
      double beta1,
      double beta2,
      double weightDecay) {
    double keep = 1 - rate * weightDecay;
    if (KernelMode.preferred() == KernelMode.FUSED && parameter.dataType() == DataType.FLOAT) {
      Pass pass =
          new Pass(
              (float) keep,
              (float) rate,
              (float) beta1,
              (float) (1 - beta1),
              (float) beta2,
              (float) (1 - beta2));
      Tiles.run(
          List.of(gradient, parameter, mean),
          List.of(parameter, mean),
          (tile, length) -> pass.run(tile[0], tile[1], tile[2], tile[3], tile[4], length));
      return;
    }
    INDArray direction = mean.mul(beta1).addi(gradient.mul(1 - beta1));
    mean.muli(beta2).addi(gradient.muli(1 - beta2));
    parameter.muli(keep).subi(Transforms.sign(direction, false).muli(rate));
  }

  private record Pass(
      float keep,
      float rate,
      float keepDirection,
      float addDirection,
      float keepMean,
      float addMean) {

    void run(float[] g, float[] p, float[] mean, float[] newP, float[] newMean, int length) {
      float kept = keep;
      float by = rate;
      float keep1 = keepDirection;
      float add1 = addDirection;
      float keep2 = keepMean;
      float add2 = addMean;
      for (int i = 0; i < length; i++) {
        newP[i] = kept * p[i] - by * Math.signum(keep1 * mean[i] + add1 * g[i]);
        newMean[i] = keep2 * mean[i] + add2 * g[i];
      }
    }
  }
}

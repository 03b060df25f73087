package org.tokentune.ops.internal.optimizers;

import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.updaters.AdamUpdater;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * AdamW's optimizer step with decoupled weight decay (Loshchilov and Hutter, 2019), as {@code
 * torch.optim.AdamW} computes it: {@code p -= rate * decay * p; m = b1 m + (1 - b1) g; v = b2 v +
 * (1 - b2) g^2; p -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)}.
 *
 * <p>Native form: {@code adam_updater}. Fused form: one pass over the four arrays.
 */
public final class AdamWStep {

  private AdamWStep() {}

  /**
   * Changes the parameter and its moments in place; the gradient may be overwritten.
   *
   * @param parameter FLOAT, or DOUBLE, which takes the native form
   * @param gradient shape and type of the parameter
   * @param mean running mean of the gradients, in the parameter's shape, initially 0
   * @param square running mean of their squares, likewise
   * @param rate the learning rate, which also scales the weight decay
   * @param step 1 at the first step
   */
  public static void run(
      INDArray parameter,
      INDArray gradient,
      INDArray mean,
      INDArray square,
      double rate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      int step) {
    if (KernelMode.preferred() == KernelMode.FUSED && parameter.dataType() == DataType.FLOAT) {
      Pass pass = Pass.of(rate, beta1, beta2, epsilon, weightDecay, step);
      Tiles.run(
          List.of(gradient, parameter, mean, square),
          List.of(parameter, mean, square),
          (tile, length) -> pass.run(tile, length));
      return;
    }
    parameter.muli(1 - rate * weightDecay);
    // ND4J's op adds epsilon to the uncorrected root; scaled like this, it is the same as adding it
    // to the corrected root.
    double scaled = epsilon * Math.sqrt(1 - Math.pow(beta2, step));
    Nd4j.exec(new AdamUpdater(gradient, square, mean, rate, beta1, beta2, scaled, step - 1));
    parameter.subi(gradient);
  }

  /** One pass, with the bias corrections folded into rate and epsilon. */
  record Pass(
      float decay,
      float keepMean,
      float addMean,
      float keepSquare,
      float addSquare,
      float rate,
      float epsilon) {

    static Pass of(
        double rate, double beta1, double beta2, double epsilon, double weightDecay, int step) {
      double corrected2 = Math.sqrt(1 - Math.pow(beta2, step));
      return new Pass(
          (float) (1 - rate * weightDecay),
          (float) beta1,
          (float) (1 - beta1),
          (float) beta2,
          (float) (1 - beta2),
          (float) (rate * corrected2 / (1 - Math.pow(beta1, step))),
          (float) (epsilon * corrected2));
    }

    /**
     * @param tile gradient, parameter, mean and square; then new parameter, mean and square
     */
    void run(float[][] tile, int length) {
      moments(tile[0], tile[2], tile[3], tile[5], tile[6], length);
      move(tile[1], tile[5], tile[6], tile[4], length);
    }

    private void moments(
        float[] g, float[] mean, float[] square, float[] newMean, float[] newSquare, int length) {
      float keep1 = keepMean;
      float add1 = addMean;
      float keep2 = keepSquare;
      float add2 = addSquare;
      for (int i = 0; i < length; i++) {
        newMean[i] = keep1 * mean[i] + add1 * g[i];
        newSquare[i] = keep2 * square[i] + add2 * (g[i] * g[i]);
      }
    }

    private void move(float[] p, float[] mean, float[] square, float[] newP, int length) {
      float keep = decay;
      float by = rate;
      float least = epsilon;
      for (int i = 0; i < length; i++) {
        newP[i] = keep * p[i] - by * mean[i] / ((float) Math.sqrt(square[i]) + least);
      }
    }
  }
}

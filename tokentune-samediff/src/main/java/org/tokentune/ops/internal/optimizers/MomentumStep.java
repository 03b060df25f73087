package org.tokentune.ops.internal.optimizers;

import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.kernels.Tiles;

/**
 * The optimizer step of gradient descent with momentum, as {@code torch.optim.SGD} computes it
 * without damping: {@code b = momentum * b + g + decay * p; p -= rate * b}.
 *
 * <p>Native form: in-place ops. Fused form: one pass over the three arrays.
 */
public final class MomentumStep {

  private MomentumStep() {}

  /**
   * Changes the parameter and its buffer in place; the gradient may be overwritten.
   *
   * @param parameter FLOAT, or DOUBLE, which takes the native form
   * @param gradient shape and type of the parameter
   * @param buffer shape and type of the parameter, initially 0
   * @param nesterov whether to move by gradient and momentum times the new buffer
   */
  public static void run(
      INDArray parameter,
      INDArray gradient,
      INDArray buffer,
      double rate,
      double momentum,
      boolean nesterov,
      double weightDecay) {
    if (KernelMode.preferred() == KernelMode.FUSED && parameter.dataType() == DataType.FLOAT) {
      Pass pass = new Pass((float) rate, (float) momentum, nesterov, (float) weightDecay);
      Tiles.run(
          List.of(gradient, parameter, buffer),
          List.of(parameter, buffer),
          (tile, length) -> pass.run(tile[0], tile[1], tile[2], tile[3], tile[4], length));
      return;
    }
    buffer.muli(momentum).addi(gradient);
    if (weightDecay != 0) {
      INDArray decay = parameter.mul(weightDecay);
      buffer.addi(decay);
      gradient.addi(decay);
    }
    INDArray direction = nesterov ? gradient.addi(buffer.mul(momentum)) : buffer;
    parameter.subi(direction.mul(rate));
  }

  private record Pass(float rate, float momentum, boolean nesterov, float decay) {

    void run(float[] g, float[] p, float[] buffer, float[] newP, float[] newBuffer, int length) {
      float by = rate;
      float keep = momentum;
      float shrink = decay;
      for (int i = 0; i < length; i++) {
        newBuffer[i] = keep * buffer[i] + g[i] + shrink * p[i];
        float ahead = nesterov ? g[i] + shrink * p[i] + keep * newBuffer[i] : newBuffer[i];
        newP[i] = p[i] - by * ahead;
      }
    }
  }
}

package org.tokentune.train;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.optimizers.GradientScale;

/**
 * Clipping by norm, like {@code torch.nn.utils.clip_grad_norm_} (Pascanu et al., 2013): of all
 * gradients at once, or, where none is held, of each one as it comes.
 */
final class GradientClipping {

  private final double most;
  private final boolean byTensor;
  private final double lastNorm;
  private double squares;
  private boolean finite = true;

  /**
   * @param most norm; infinite: nothing is scaled
   * @param byTensor whether each gradient counts by itself
   * @param lastNorm of the step before; 0 if there is none
   */
  GradientClipping(double most, boolean byTensor, double lastNorm) {
    this.most = most;
    this.byTensor = byTensor;
    this.lastNorm = lastNorm;
  }

  /**
   * Scales the next gradient of a step, in place.
   *
   * @return whether it is finite
   */
  boolean clip(INDArray gradient) {
    if (Double.isInfinite(most)) {
      return true;
    }
    double own = GradientScale.squares(gradient);
    if (!Double.isFinite(own)) {
      finite = false;
      return false;
    }
    squares += own;
    double factor = factor(byTensor ? Math.sqrt(own) : Math.max(lastNorm, norm()), most);
    if (factor < 1) {
      GradientScale.multiply(gradient, factor);
    }
    return true;
  }

  /** Whether all gradients of the step were finite. */
  boolean finite() {
    return finite;
  }

  /** The norm of the gradients so far, before they were scaled. */
  double norm() {
    return Math.sqrt(squares);
  }

  private static double factor(double norm, double most) {
    return most / (norm + 1e-6);
  }

  /**
   * Scales all gradients, in place, so that their common Euclidean norm is at most {@code most}.
   *
   * @return the norm before clipping
   */
  static double byGlobalNorm(Map<String, INDArray> gradients, double most) {
    double squares = 0;
    for (INDArray gradient : gradients.values()) {
      squares += GradientScale.squares(gradient);
    }
    double norm = Math.sqrt(squares);
    double factor = factor(norm, most);
    if (factor < 1) {
      gradients.values().forEach(gradient -> GradientScale.multiply(gradient, factor));
    }
    return norm;
  }
}

package org.tokentune.train;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.internal.optimizers.GradientScale;

/** Clipping by global norm, like {@code torch.nn.utils.clip_grad_norm_} (Pascanu et al., 2013). */
final class GradientClipping {

  private GradientClipping() {}

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
    double factor = most / (norm + 1e-6);
    if (factor < 1) {
      gradients.values().forEach(gradient -> GradientScale.multiply(gradient, factor));
    }
    return norm;
  }
}

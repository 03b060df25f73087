package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Gradient of {@link Affine} with respect to the rows only: (dY [n, h], gain [h]) to {@code dY *
 * gain}, in place.
 */
public final class AffineScale extends ElementwiseOp {

  /** For SameDiff, which creates ops by reflection; use {@code LayerNormOps.apply}. */
  public AffineScale() {}

  public AffineScale(SameDiff sd, SDVariable dY, SDVariable gain) {
    super(sd, dY, gain);
  }

  @Override
  public String opName() {
    return "fused_affine_scale";
  }

  @Override
  public void run(List<INDArray> inputs, List<INDArray> outputs) {
    Affine.compute(inputs, outputs);
  }
}

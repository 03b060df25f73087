package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A fused op whose work is mostly matrix products of its own. */
public abstract class FusedProducts extends FusedOp {

  /** For registration and cloning. */
  protected FusedProducts() {}

  protected FusedProducts(SameDiff sd, List<SDVariable> inputs) {
    super(sd, inputs.toArray(SDVariable[]::new));
  }

  @Override
  public final void run(List<INDArray> inputs, List<INDArray> outputs) {
    run(inputs, outputs, false);
  }

  /**
   * Runs only the matrix products, on whatever numbers the memory holds: a lower bound for the op's
   * time.
   */
  public final void runProducts(List<INDArray> inputs, List<INDArray> outputs) {
    run(inputs, outputs, true);
  }

  abstract void run(List<INDArray> inputs, List<INDArray> outputs, boolean productsOnly);
}

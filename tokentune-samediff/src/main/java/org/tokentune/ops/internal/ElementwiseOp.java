package org.tokentune.ops.internal;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * One cheap pass over its first input; the only output has the same shape and is computed in place.
 */
abstract class ElementwiseOp extends FusedOp {

  /** For registration and cloning. */
  ElementwiseOp() {}

  ElementwiseOp(SameDiff sd, SDVariable... inputs) {
    super(sd, inputs);
  }

  @Override
  public final List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public final int inPlaceOf(int output) {
    return 0;
  }

  @Override
  public final Recomputation recomputation() {
    return Recomputation.ELEMENTWISE;
  }
}

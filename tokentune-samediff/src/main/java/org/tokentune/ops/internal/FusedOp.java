package org.tokentune.ops.internal;

import java.util.Collections;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;

/**
 * An op as a single SameDiff node whose body is a CPU kernel in Java. Only an execution plan can
 * run it. Floats are FLOAT, integers INT32.
 */
public abstract class FusedOp extends OwnOp {

  /** For registration and cloning. */
  protected FusedOp() {}

  protected FusedOp(SameDiff sd, SDVariable... inputs) {
    super(sd, inputs);
  }

  /** The outputs' shapes, from the inputs' shapes alone. */
  public abstract List<long[]> outputShapes(List<long[]> inputs);

  /**
   * Computes the outputs.
   *
   * @param inputs dense and c-ordered, below 2 GiB, possibly views into a bigger buffer
   * @param outputs likewise, already allocated; an output may be the same memory as the input given
   *     by {@link #inPlaceOf}, and overlaps no other
   * @throws IllegalArgumentException if an array violates this, or a value is out of range
   */
  public abstract void run(List<INDArray> inputs, List<INDArray> outputs);

  /** Index of the input whose memory the output may reuse, or -1. */
  public int inPlaceOf(int output) {
    return -1;
  }

  /** What may be recomputed in the backward pass instead of being stored. */
  public Recomputation recomputation() {
    return Recomputation.NONE;
  }

  /** A no-op, as SameDiff requires every op to have one. */
  @Override
  protected final String nativeName() {
    return "noop";
  }

  @Override
  public List<DataType> calculateOutputDataTypes(List<DataType> inputs) {
    return Collections.nCopies(getNumOutputs(), DataType.FLOAT);
  }

  @Override
  public List<LongShapeDescriptor> calculateOutputShape() {
    return calculateOutputShape(null);
  }

  @Override
  public List<LongShapeDescriptor> calculateOutputShape(OpContext context) {
    throw new IllegalStateException(
        opName()
            + " runs in an execution plan only; build the graph in native kernel mode to run it"
            + " with SameDiff.");
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new IllegalStateException(opName() + " has no gradient");
  }

  /** Whether this input may need a gradient: it is a parameter or computed. */
  static boolean trained(SDVariable input) {
    VariableType type = input.getVariableType();
    return type == VariableType.VARIABLE || type == VariableType.ARRAY;
  }
}

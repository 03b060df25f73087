package org.tokentune.ops;

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
 * An op as one SameDiff node whose body is a CPU kernel in Java. Only an execution plan runs it.
 * Floats are FLOAT, integers INT32.
 */
public abstract class FusedOp extends OwnOp {

  /** For registration and cloning. */
  FusedOp() {}

  FusedOp(SameDiff sd, SDVariable... inputs) {
    super(sd, inputs);
  }

  /** Shapes of the outputs from the inputs' shapes alone. */
  public abstract List<long[]> outputShapes(List<long[]> inputs);

  /**
   * Computes the outputs.
   *
   * @param inputs dense and c-ordered, below 2 GiB, possibly views into a bigger buffer
   * @param outputs likewise, already allocated; an output may be the very same memory as the input
   *     named by {@link #inPlaceOf}, and overlaps no other
   * @throws IllegalArgumentException if an array is not so, or a value is out of its range
   */
  public abstract void run(List<INDArray> inputs, List<INDArray> outputs);

  /** Number of the input whose memory the output may take over, or -1. */
  public int inPlaceOf(int output) {
    return -1;
  }

  /** Whether it is one cheap pass over its inputs, so that recomputing beats keeping. */
  public boolean elementwise() {
    return false;
  }

  /** Does nothing, but SameDiff asks every op for one. */
  @Override
  final String nativeName() {
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
            + " runs in an execution plan only; build the graph in the native style to run it with"
            + " SameDiff.");
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new IllegalStateException(opName() + " has no gradient");
  }

  /** Whether gradients may be wanted for this input: it is a parameter or computed. */
  static boolean trained(SDVariable input) {
    VariableType type = input.getVariableType();
    return type == VariableType.VARIABLE || type == VariableType.ARRAY;
  }
}

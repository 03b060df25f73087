package org.tokentune.plan.internal;

import java.util.List;
import java.util.function.UnaryOperator;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.tokentune.ops.internal.Aliasing;
import org.tokentune.ops.internal.OpTraits;

/**
 * An op of a plan with the names of its inputs and outputs. The op only defines the computation;
 * its own arrays and variables are not used.
 */
record Node(DifferentialFunction op, List<String> inputs, List<String> outputs) {

  /** The same op on other values. */
  Node renamed(UnaryOperator<String> inputName, UnaryOperator<String> outputName) {
    return new Node(
        op, inputs.stream().map(inputName).toList(), outputs.stream().map(outputName).toList());
  }

  /** How the outputs may share memory with the inputs. */
  Aliasing aliasing() {
    return OpTraits.aliasing(op);
  }

  /** Whether the op only reshapes, permutes, renames or slices its first input. */
  boolean isView() {
    return aliasing().isView();
  }

  boolean isMatmul() {
    return OpTraits.isMatmul(op);
  }
}

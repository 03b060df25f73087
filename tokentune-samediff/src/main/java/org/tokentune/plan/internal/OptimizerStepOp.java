package org.tokentune.plan.internal;

import org.nd4j.linalg.api.ops.DynamicCustomOp;

/**
 * Updates a range of a variable's rows. Reads the gradient and the variable; the update itself is
 * done by the {@link OptimizerStep} that is given when a plan is bound.
 */
final class OptimizerStepOp extends DynamicCustomOp {

  private final String variable;
  private final long firstRow;

  OptimizerStepOp(String variable, long firstRow) {
    this.variable = variable;
    this.firstRow = firstRow;
  }

  String variable() {
    return variable;
  }

  long firstRow() {
    return firstRow;
  }

  @Override
  public String opName() {
    return "update";
  }
}

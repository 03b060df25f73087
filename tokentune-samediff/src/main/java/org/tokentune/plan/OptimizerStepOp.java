package org.tokentune.plan;

import org.nd4j.linalg.api.ops.DynamicCustomOp;

/**
 * Where a variable's rows, from one on, are updated. Reads its gradient and the variable; what it
 * does is the {@link OptimizerStep}'s, given when a plan is bound.
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

package org.tokentune.plan;

import org.nd4j.linalg.api.ops.DynamicCustomOp;

/**
 * Where a variable is updated. Reads its gradient and the variable; what it does is the {@link
 * Updater}'s, given when a plan is bound.
 */
final class Update extends DynamicCustomOp {

  private final String variable;

  Update(String variable) {
    this.variable = variable;
  }

  String variable() {
    return variable;
  }

  @Override
  public String opName() {
    return "update";
  }
}

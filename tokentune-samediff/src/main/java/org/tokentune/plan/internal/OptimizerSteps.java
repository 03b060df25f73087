package org.tokentune.plan.internal;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A plan's optimizer steps: either all of them run or, if the outputs forbid it, none. */
final class OptimizerSteps {

  private final OptimizerStep optimizerStep;
  private final Map<String, INDArray> outputs;
  private boolean begun;
  private boolean wanted;

  /**
   * @param outputs values by which the optimizer decides whether to run
   */
  OptimizerSteps(OptimizerStep optimizerStep, Map<String, INDArray> outputs) {
    this.optimizerStep = optimizerStep;
    this.outputs = outputs;
  }

  /** The next step, in execution order. */
  Step of(OptimizerStepOp update, INDArray variable, INDArray gradient) {
    boolean first = !begun;
    begun = true;
    return () -> {
      if (first) {
        wanted = optimizerStep.begins(outputs);
      }
      if (wanted) {
        optimizerStep.update(update.variable(), variable, update.firstRow(), gradient);
      }
    };
  }
}

package org.tokentune.plan;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A plan's updates of variables, which happen all or, where the outputs forbid it, not at all. */
final class OptimizerSteps {

  private final OptimizerStep optimizerStep;
  private final Map<String, INDArray> outputs;
  private boolean begun;
  private boolean wanted;

  /**
   * @param outputs that the updater decides by
   */
  OptimizerSteps(OptimizerStep optimizerStep, Map<String, INDArray> outputs) {
    this.optimizerStep = optimizerStep;
    this.outputs = outputs;
  }

  /** The next of them, in the order in which they run. */
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

package org.tokentune.plan;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A plan's updates of variables, which happen all or, where the outputs forbid it, not at all. */
final class UpdateSteps {

  private final Updater updater;
  private final Map<String, INDArray> outputs;
  private boolean begun;
  private boolean wanted;

  /**
   * @param outputs that the updater decides by
   */
  UpdateSteps(Updater updater, Map<String, INDArray> outputs) {
    this.updater = updater;
    this.outputs = outputs;
  }

  /** The next of them, in the order in which they run. */
  Step of(Update update, INDArray variable, INDArray gradient) {
    boolean first = !begun;
    begun = true;
    return () -> {
      if (first) {
        wanted = updater.begins(outputs);
      }
      if (wanted) {
        updater.update(update.variable(), variable, update.firstRow(), gradient);
      }
    };
  }
}

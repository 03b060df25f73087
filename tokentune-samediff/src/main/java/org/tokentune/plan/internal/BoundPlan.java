package org.tokentune.plan.internal;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadSettingsException;

/**
 * A plan bound to an arena.
 *
 * @param matmuls the steps that are matmuls, and the matmuls inside others
 * @param inputs arrays for the placeholders
 * @param outputs views of the results, valid until the next run
 * @param gradients views of the gradients by variable, valid until the next run
 */
record BoundPlan(
    List<Step> steps,
    List<Step> matmuls,
    Map<String, INDArray> inputs,
    Map<String, INDArray> outputs,
    Map<String, INDArray> gradients)
    implements AutoCloseable {

  void run(Map<String, INDArray> placeholders) {
    fill(placeholders);
    BlasThreads.one(() -> steps.forEach(Step::run));
  }

  /** Runs only the matmuls. */
  void runMatmuls() {
    BlasThreads.one(() -> matmuls.forEach(Step::run));
  }

  private void fill(Map<String, INDArray> placeholders) {
    inputs.forEach(
        (name, target) -> {
          INDArray given = placeholders.get(name);
          if (given == null || !Arrays.equals(given.shape(), target.shape())) {
            throw BadSettingsException.of(
                "inputs",
                "must hold %s of shape %s, got %s.",
                name,
                Arrays.toString(target.shape()),
                given == null ? "none" : Arrays.toString(given.shape()));
          }
          target.assign(given);
        });
  }

  @Override
  public void close() {
    steps.forEach(Step::close);
  }
}

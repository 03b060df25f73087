package org.tokentune.plan;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A plan in an arena.
 *
 * @param products those of the steps that are matrix products
 * @param inputs where placeholders go
 * @param outputs views of the results, good until the next run
 * @param gradients by variable, likewise
 */
record BoundPlan(
    List<Step> steps,
    List<Step> products,
    Map<String, INDArray> inputs,
    Map<String, INDArray> outputs,
    Map<String, INDArray> gradients)
    implements AutoCloseable {

  void run(Map<String, INDArray> placeholders) {
    fill(placeholders);
    steps.forEach(Step::run);
  }

  private void fill(Map<String, INDArray> placeholders) {
    inputs.forEach(
        (name, target) -> {
          INDArray given = placeholders.get(name);
          if (given == null || !Arrays.equals(given.shape(), target.shape())) {
            throw new IllegalArgumentException(
                "placeholder "
                    + name
                    + " must be of shape "
                    + Arrays.toString(target.shape())
                    + ", but is "
                    + (given == null ? "missing" : Arrays.toString(given.shape())));
          }
          target.assign(given);
        });
  }

  @Override
  public void close() {
    steps.forEach(Step::close);
  }
}

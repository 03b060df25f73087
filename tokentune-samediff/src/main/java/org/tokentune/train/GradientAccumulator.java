package org.tokentune.train;

import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.plan.internal.OptimizerStep;

/** Adds up weighted gradients of several batches for one step. */
final class GradientAccumulator implements OptimizerStep {

  private final Map<String, INDArray> sums = new LinkedHashMap<>();
  private double weight;

  /** Starts with sums of 0. */
  void clear() {
    sums.values().forEach(sum -> sum.assign(0));
  }

  /** Sets the factor of the following gradients. */
  void weigh(double factor) {
    weight = factor;
  }

  @Override
  public void update(String name, INDArray variable, long firstRow, INDArray gradient) {
    INDArray sum = sums.computeIfAbsent(name, key -> variable.like());
    INDArray weighted = weight == 1 ? gradient : gradient.muli(weight);
    OptimizerStep.rows(sum, firstRow, gradient).addi(weighted);
  }

  /** The sums by parameter. */
  Map<String, INDArray> gradients() {
    return sums;
  }
}

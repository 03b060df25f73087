package org.tokentune.plan.internal;

import java.util.HashMap;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Memory outside the arena that gradients are returned in, so that whoever owns it need not copy
 * them. A run may use all of it for other values until they are complete: only the gradients that
 * the run returns are meaningful afterwards.
 */
public final class GradientHome {

  private final INDArray memory;
  private final Map<String, Long> offsets = new HashMap<>();

  /**
   * @param memory FLOAT, dense: [elements]
   * @param gradients dense views of it for all trained variables, which do not overlap
   */
  public GradientHome(INDArray memory, Map<String, INDArray> gradients) {
    if (memory.dataType() != DataType.FLOAT || memory.rank() != 1 || memory.stride(0) != 1) {
      throw new IllegalArgumentException("the memory of gradients must be a dense FLOAT vector");
    }
    this.memory = memory;
    gradients.forEach((name, view) -> offsets.put(name, view.offset() - memory.offset()));
  }

  INDArray memory() {
    return memory;
  }

  /** Offset of a variable's gradient, in elements. */
  long offset(String variable) {
    return offsets.get(variable);
  }
}

package org.tokentune.plan.internal;

import java.util.Map;
import java.util.function.Consumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The memory of a plan: the arena and, before its floats, the home of gradients if there is one.
 *
 * @param home null: there is none
 */
record PlanSpace(Arena arena, GradientHome home) {

  /** An array at an offset as {@link MemoryPlanner} gives them. */
  INDArray view(DataType type, long[] shape, long[] strides, long offset) {
    if (home == null || type != DataType.FLOAT) {
      return arena.view(type, shape, strides, offset);
    }
    INDArray memory = home.memory();
    return offset < memory.length()
        ? Nd4j.create(memory.data(), shape, strides, memory.offset() + offset, 'c', type)
        : arena.view(type, shape, strides, offset - MemoryPlanner.aligned(memory.length()));
  }

  /** The whole memory as vectors, for checks. */
  void release(Map<DataType, Long> regions, Consumer<INDArray> release) {
    regions.forEach(
        (type, count) -> release.accept(arena.view(type, new long[] {count}, new long[] {1}, 0)));
    if (home != null) {
      release.accept(home.memory());
    }
  }
}

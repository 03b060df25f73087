package org.tokentune.plan.internal;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.BytePointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An arena with more room than a plan needs, filled with a pattern: whatever differs from it after
 * a run was written by the run.
 */
final class Canary implements AutoCloseable {

  private static final int ROOM = 400_000; // elements

  private final Arena arena = new Arena();
  private final Map<DataType, INDArray> regions = new LinkedHashMap<>();
  private final Map<DataType, Integer> written = new LinkedHashMap<>();

  Canary() {
    DataType[] types = {DataType.FLOAT, DataType.INT32, DataType.INT64, DataType.BOOL};
    arena.reserve(
        Arrays.stream(types).collect(Collectors.toMap(type -> type, type -> (long) ROOM)));
    for (DataType type : types) {
      regions.put(type, arena.view(type, new long[] {ROOM}, new long[] {1}, 0));
    }
  }

  Arena arena() {
    return arena;
  }

  /** Runs a body and records how far it wrote in each region. */
  void run(Runnable body, int pattern) {
    regions.values().forEach(region -> fill(region, (byte) pattern));
    body.run();
    regions.forEach((type, region) -> written.merge(type, end(region, (byte) pattern), Math::max));
  }

  /** Total bytes from each region's start to the last byte written by any run. */
  long bytes() {
    return written.values().stream().mapToLong(end -> end).sum();
  }

  private static void fill(INDArray region, byte pattern) {
    ByteBuffer memory = memory(region);
    try {
      while (memory.hasRemaining()) {
        memory.put(pattern);
      }
    } finally {
      Reference.reachabilityFence(region);
    }
  }

  private static int end(INDArray region, byte pattern) {
    ByteBuffer memory = memory(region);
    try {
      int end = memory.limit();
      while (end > 0 && memory.get(end - 1) == pattern) {
        end--;
      }
      return end;
    } finally {
      Reference.reachabilityFence(region);
    }
  }

  private static ByteBuffer memory(INDArray region) {
    return new BytePointer(region.data().pointer())
        .limit((long) ROOM * region.dataType().width())
        .asByteBuffer();
  }

  @Override
  public void close() {
    arena.close();
  }
}

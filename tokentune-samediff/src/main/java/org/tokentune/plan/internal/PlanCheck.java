package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Checks a run for faults in its plan, with {@code -Dorg.tokentune.plan.check=true}: every read
 * must find what was written, in memory that was not released in between. Slow when on, and without
 * any cost when off.
 *
 * <p>Memory is filled with NaN before it is written, and again when its buffer's lifetime has
 * ended; reading NaN fails. This includes a NaN that the model itself computes, reported with the
 * op that wrote it, so the check cannot be used with models in which NaN is meaningful.
 */
final class PlanCheck {

  private final Layout layout;
  private final MemoryPlanner memory;
  private final Shapes shapes;
  private final PlanSpace space;
  private final Map<String, Written> written = new HashMap<>();

  private record Written(String by, int fingerprint) {}

  PlanCheck(Layout layout, Shapes shapes, PlanSpace space) {
    this.layout = layout;
    memory = layout.memory();
    this.shapes = shapes;
    this.space = space;
    space.release(memory.regions(), PlanCheck::release);
  }

  /** Whether plans bound from now on are checked. */
  static boolean isEnabled() {
    return Boolean.getBoolean("org.tokentune.plan.check");
  }

  /** Wraps the steps, one for each op, to check their reads and writes. */
  List<Step> watch(List<Step> steps) {
    List<Step> watched = new ArrayList<>();
    watched.add(
        () -> {
          written.clear();
          write("the caller", layout.placeholders());
        });
    for (int i = 0; i < steps.size(); i++) {
      watched.add(watch(i, layout.nodes().get(i), steps.get(i)));
    }
    watched.add(() -> read("the caller", layout.results()));
    return watched;
  }

  private Step watch(int index, Node node, Step step) {
    String op = "op " + index + " (" + node.op().opName() + ")";
    return new Step() {
      @Override
      public void run() {
        read(op, node.inputs());
        step.run();
        write(op, node.outputs());
        written.keySet().removeIf(value -> memory.last(value) == index);
        memory.ending(index).forEach(buffer -> release(memory(buffer)));
      }

      @Override
      public void close() {
        step.close();
      }
    };
  }

  private void read(String reader, Collection<String> values) {
    for (String value : values) {
      String root = layout.aliases().of(value).buffer();
      if (memory.bufferOf(root) != null) {
        read(reader, value, root);
      }
    }
  }

  private void read(String reader, String value, String root) {
    Written then = written.get(root);
    if (then == null) {
      throw new IllegalStateException(
          reader + " reads " + value + ", which was not written or is already released");
    }
    double[] now = numbers(root);
    if (Arrays.stream(now).anyMatch(Double::isNaN)) {
      throw new IllegalStateException(
          reader + " reads NaN in " + value + ", which " + then.by() + " wrote");
    }
    if (Arrays.hashCode(now) != then.fingerprint()) {
      throw new IllegalStateException(
          reader + " reads " + value + ", which changed after " + then.by() + " wrote it");
    }
  }

  private void write(String writer, Collection<String> values) {
    for (String value : values) {
      String root = layout.aliases().of(value).buffer();
      if (memory.bufferOf(root) != null) {
        written.put(root, new Written(writer, Arrays.hashCode(numbers(root))));
      }
    }
  }

  private double[] numbers(String root) {
    try (INDArray copy = memory(root).castTo(DataType.DOUBLE).dup()) {
      return copy.toDoubleVector();
    }
  }

  /** A value's memory, regardless of its shape. */
  private INDArray memory(String root) {
    Shapes.Info info = shapes.of(root);
    return memory(info.type(), info.elements(), memory.offset(root));
  }

  private INDArray memory(DataType type, long elements, long offset) {
    return space.view(type, new long[] {elements}, new long[] {1}, offset);
  }

  private static void release(INDArray memory) {
    if (memory.dataType().isFPType()) {
      memory.assign(Double.NaN);
    }
  }
}

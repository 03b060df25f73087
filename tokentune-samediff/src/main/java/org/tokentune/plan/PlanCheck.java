package org.tokentune.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Watches a run for faults of its plan, with {@code -Dorg.tokentune.plan.check=true}: every read
 * must find what was written, in memory that was not given up in between. Slow, and nothing of it
 * is there when it is off.
 *
 * <p>Memory is NaN before it is written, and again when its buffer's lifetime has ended; a read of
 * NaN fails. So does one of a NaN that the model itself computes, with the name of the op that
 * wrote it: the check is of no use to models in which NaN has a meaning.
 */
final class PlanCheck {

  private final MemoryPlanner layout;
  private final AliasAnalysis aliases;
  private final Shapes shapes;
  private final Arena arena;
  private final Map<String, Written> written = new HashMap<>();

  private record Written(String by, int fingerprint) {}

  PlanCheck(MemoryPlanner layout, AliasAnalysis aliases, Shapes shapes, Arena arena) {
    this.layout = layout;
    this.aliases = aliases;
    this.shapes = shapes;
    this.arena = arena;
    layout.regions().forEach((type, count) -> giveUp(memory(type, count, 0)));
  }

  /** Whether plans that are bound from now on are to be watched. */
  static boolean wanted() {
    return Boolean.getBoolean("org.tokentune.plan.check");
  }

  /**
   * The steps with their reads and writes watched.
   *
   * @param placeholders written before the first
   * @param results read after the last
   */
  List<Step> watch(
      Collection<String> placeholders,
      List<Node> nodes,
      List<Step> steps,
      Collection<String> results) {
    List<Step> watched = new ArrayList<>();
    watched.add(
        () -> {
          written.clear();
          write("the caller", placeholders);
        });
    for (int i = 0; i < steps.size(); i++) {
      watched.add(watch(i, nodes.get(i), steps.get(i)));
    }
    watched.add(() -> read("the caller", results));
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
        written.keySet().removeIf(value -> layout.last(value) == index);
        layout.ending(index).forEach(buffer -> giveUp(memory(buffer)));
      }

      @Override
      public void close() {
        step.close();
      }
    };
  }

  private void read(String reader, Collection<String> values) {
    for (String value : values) {
      String root = aliases.of(value).buffer();
      if (layout.bufferOf(root) != null) {
        read(reader, value, root);
      }
    }
  }

  private void read(String reader, String value, String root) {
    Written then = written.get(root);
    if (then == null) {
      throw new IllegalStateException(
          reader + " reads " + value + ", which was not written or is given up already");
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
      String root = aliases.of(value).buffer();
      if (layout.bufferOf(root) != null) {
        written.put(root, new Written(writer, Arrays.hashCode(numbers(root))));
      }
    }
  }

  private double[] numbers(String root) {
    try (INDArray copy = memory(root).castTo(DataType.DOUBLE).dup()) {
      return copy.toDoubleVector();
    }
  }

  /** A value's memory, without regard to its shape. */
  private INDArray memory(String root) {
    Shapes.Info info = shapes.of(root);
    return memory(info.type(), info.elements(), layout.offset(root));
  }

  private INDArray memory(DataType type, long elements, long offset) {
    return arena.view(type, new long[] {elements}, new long[] {1}, offset);
  }

  private static void giveUp(INDArray memory) {
    if (memory.dataType().isFPType()) {
      memory.assign(Double.NaN);
    }
  }
}

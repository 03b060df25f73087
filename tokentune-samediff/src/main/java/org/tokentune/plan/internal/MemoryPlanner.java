package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.ops.internal.OpTraits;

/**
 * Assigns every buffer a lifetime, from the first op that writes it to the last that reads it, and
 * an offset in the region of its data type; buffers with disjoint lifetimes share memory.
 */
final class MemoryPlanner {

  /** Buffers start at multiples of this many elements: 64 bytes of floats. */
  private static final int ALIGNMENT = 16;

  /** A buffer: written first at op {@code first}, read last at op {@code last}. */
  private static final class Buffer {
    final String name;
    final DataType type;
    final long elements;
    final int first;
    int last;
    long offset;

    Buffer(String name, DataType type, long elements, int first) {
      this.name = name;
      this.type = type;
      this.elements = elements;
      this.first = first;
      this.last = first;
    }

    boolean overlaps(Buffer other) {
      return first <= other.last && other.first <= last;
    }

    long bytes() {
      return elements * type.width();
    }
  }

  private final Shapes shapes;
  private final AliasAnalysis aliases;
  private final Map<String, Buffer> buffers = new LinkedHashMap<>();
  private final Map<String, String> reused = new HashMap<>();
  private final Map<DataType, Long> regions = new TreeMap<>();
  private final int nodes;
  private final Map<Buffer, Long> fixed = new LinkedHashMap<>();
  private long home;

  /**
   * @param running the ops in execution order
   * @param placeholders values supplied from outside, live from the start
   * @param results values read after the last op
   */
  MemoryPlanner(
      List<Node> running,
      AliasAnalysis aliases,
      Shapes shapes,
      Collection<String> placeholders,
      Collection<String> results) {
    this.shapes = shapes;
    this.aliases = aliases;
    nodes = running.size();
    Map<String, Integer> lastUse = new HashMap<>();
    for (int i = 0; i < nodes; i++) {
      for (String input : running.get(i).inputs()) {
        lastUse.put(aliases.of(input).buffer(), i);
      }
    }
    results.forEach(result -> lastUse.put(aliases.of(result).buffer(), nodes));
    placeholders.forEach(name -> define(name, -1, lastUse));
    for (int i = 0; i < nodes; i++) {
      Node node = running.get(i);
      for (int o = 0; o < node.outputs().size(); o++) {
        String output = node.outputs().get(o);
        String buffer = aliases.of(output).buffer();
        if (!buffer.equals(output)) { // part of a buffer, or rows of a table that the graph holds
          if (!buffers.containsKey(buffer) && !shapes.held(buffer)) {
            define(buffer, i, lastUse);
          }
          continue;
        }
        Buffer taken = reusable(node, o, i);
        if (taken == null) {
          define(output, i, lastUse);
        } else {
          reused.put(output, taken.name);
          taken.last = lastUse.getOrDefault(output, i);
        }
      }
    }
  }

  private void define(String name, int first, Map<String, Integer> lastUse) {
    Shapes.Info info = shapes.of(name);
    Buffer buffer = new Buffer(name, info.type(), info.elements(), first);
    buffer.last = Math.max(first, lastUse.getOrDefault(name, first));
    buffers.put(name, buffer);
  }

  /** The input buffer that this output can reuse because nothing reads it afterwards, or null. */
  private Buffer reusable(Node node, int output, int index) {
    for (int input : OpTraits.inPlaceInputs(node.op(), output)) {
      Buffer buffer = reusableInput(node, input, output, index);
      if (buffer != null) {
        return buffer;
      }
    }
    return null;
  }

  private Buffer reusableInput(Node node, int input, int output, int index) {
    AliasAnalysis.View in = aliases.of(node.inputs().get(input));
    AliasAnalysis.View out = aliases.of(node.outputs().get(output));
    Buffer buffer = buffer(in.buffer());
    Shapes.Info info = shapes.of(node.outputs().get(output));
    boolean fits =
        buffer != null
            && buffer.last == index
            && buffer.type == info.type()
            && in.dense()
            && out.dense()
            && info.elements() == shapes.of(node.inputs().get(input)).elements()
            && info.elements() == shapes.of(in.buffer()).elements();
    return fits && !readElsewhere(node, input, buffer) ? buffer : null;
  }

  /** Whether another input in the same buffer is not read elementwise. */
  private boolean readElsewhere(Node node, int input, Buffer buffer) {
    for (int i = 0; i < node.inputs().size(); i++) {
      AliasAnalysis.View other = aliases.of(node.inputs().get(i));
      if (i != input && buffer(other.buffer()) == buffer) {
        return true;
      }
    }
    return false;
  }

  /** A value's buffer; null for arrays that the graph holds. */
  private Buffer buffer(String name) {
    return buffers.get(reused.getOrDefault(name, name));
  }

  /** Peak of the live bytes, without gaps between buffers. */
  long liveBytes() {
    return Arrays.stream(timeline()).max().orElse(0);
  }

  /** Live bytes during each op. */
  long[] timeline() {
    long[] change = new long[nodes + 1];
    for (Buffer buffer : buffers.values()) {
      change[Math.max(0, buffer.first)] += buffer.bytes();
      change[Math.min(nodes, buffer.last + 1)] -= buffer.bytes();
    }
    long[] live = new long[nodes];
    for (int i = 0; i < nodes; i++) {
      live[i] = change[i] + (i == 0 ? 0 : live[i - 1]);
    }
    return live;
  }

  /** Names and bytes of the buffers that are live during an op. */
  Map<String, Long> live(int op) {
    Map<String, Long> live = new LinkedHashMap<>();
    for (Buffer buffer : buffers.values()) {
      if (buffer.first <= op && op <= buffer.last) {
        live.put(buffer.name, buffer.bytes());
      }
    }
    return live;
  }

  /** Names of all buffers, in the order in which they are first written. */
  List<String> buffers() {
    return List.copyOf(buffers.keySet());
  }

  long bytes(String buffer) {
    return buffers.get(buffer).bytes();
  }

  /**
   * The first byte of a buffer in the arena, whose regions follow each other in the order of {@link
   * #regions}; negative in the home of gradients.
   */
  long address(String buffer) {
    Buffer placed = buffers.get(buffer);
    long region = 0;
    for (Map.Entry<DataType, Long> before : regions.entrySet()) {
      if (before.getKey() == placed.type) {
        break;
      }
      region += before.getValue() * before.getKey().width();
    }
    long outside = placed.type == DataType.FLOAT ? aligned(home) : 0;
    long offset = placed.offset - outside;
    return offset < 0 ? -1 : region + offset * placed.type.width();
  }

  /** Index of the first op that writes a buffer; -1 for a placeholder. */
  int first(String buffer) {
    return buffers.get(buffer).first;
  }

  /**
   * Index of the last op that reads a value's buffer; the number of ops if it is read after the
   * run.
   */
  int last(String value) {
    return buffer(aliases.of(value).buffer()).last;
  }

  /** Names of the buffers whose lifetime ends with an op. */
  List<String> ending(int op) {
    return buffers.values().stream()
        .filter(buffer -> buffer.last == op)
        .map(buffer -> buffer.name)
        .toList();
  }

  /** Name of a value's buffer in the arena; null for arrays that the graph holds. */
  String bufferOf(String value) {
    Buffer buffer = buffer(aliases.of(value).buffer());
    return buffer == null ? null : buffer.name;
  }

  /**
   * Puts a home of gradients before the region of floats. Call it before {@link #place}.
   *
   * @param elements of the home
   * @param offsets in it, by the name of a value whose buffer must be there
   */
  void placeIn(long elements, Map<String, Long> offsets) {
    home = elements;
    offsets.forEach((value, offset) -> fixed.put(buffer(aliases.of(value).buffer()), offset));
  }

  /** What is in place, and the size of the arena, a line each. */
  List<String> report() {
    return List.of(
        String.format(
            Locale.ROOT,
            "in place: %d results, %,d bytes, reuse the memory of an input",
            reused.size(),
            reused.keySet().stream().mapToLong(name -> shapes.of(name).bytes()).sum()),
        String.format(
            Locale.ROOT,
            "memory planner: an arena of %,d bytes for at most %,d live",
            bytes(),
            liveBytes()));
  }

  /** Assigns offsets, largest buffer first, each at the lowest free position. */
  void place() {
    fixed.forEach((buffer, offset) -> buffer.offset = offset);
    List<Buffer> placed = new ArrayList<>(fixed.keySet());
    List<Buffer> order = new ArrayList<>(buffers.values());
    order.removeAll(fixed.keySet());
    order.sort(
        Comparator.comparingLong((Buffer buffer) -> -buffer.elements)
            .thenComparingInt(buffer -> buffer.first));
    for (Buffer buffer : order) {
      List<Buffer> around =
          placed.stream()
              .filter(other -> other.type == buffer.type && other.overlaps(buffer))
              .sorted(Comparator.comparingLong(other -> other.offset))
              .toList();
      long offset = within(buffer, 0);
      for (Buffer other : around) {
        if (offset + buffer.elements <= other.offset) {
          break;
        }
        offset = within(buffer, Math.max(offset, aligned(other.offset + other.elements)));
      }
      buffer.offset = offset;
      placed.add(buffer);
      long end = offset + buffer.elements - (buffer.type == DataType.FLOAT ? aligned(home) : 0);
      if (end > 0) {
        regions.merge(buffer.type, end, Math::max);
      }
    }
  }

  /** An offset from which on a buffer is wholly in the home of gradients, or wholly after it. */
  private long within(Buffer buffer, long offset) {
    boolean across = offset < home && offset + buffer.elements > home;
    return across && buffer.type == DataType.FLOAT ? aligned(home) : offset;
  }

  /** The next multiple at which a buffer may begin. */
  static long aligned(long elements) {
    return (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** Number of elements in the arena by data type, without the home of gradients. */
  Map<DataType, Long> regions() {
    return regions;
  }

  /** Bytes of the arena that a run uses, without the home of gradients. */
  long bytes() {
    return regions.entrySet().stream()
        .mapToLong(region -> region.getValue() * region.getKey().width())
        .sum();
  }

  /**
   * Offset of a value's buffer in its region, in elements; floats begin with the home of gradients.
   * -1 for arrays that the graph holds.
   */
  long offset(String name) {
    Buffer buffer = buffer(aliases.of(name).buffer());
    return buffer == null ? -1 : buffer.offset;
  }
}

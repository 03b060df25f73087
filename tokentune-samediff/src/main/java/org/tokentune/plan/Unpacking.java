package org.tokentune.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Has weights that are constants of bytes made floats right before each op that reads the floats,
 * forward and backward, so that those of one op are live at once. An op that follows within a few
 * ops reads the same floats.
 */
final class Unpacking {

  /** Ops between two uses for which floats are kept. */
  private static final int NEAR = 4;

  private final Shapes shapes;
  private final Map<String, Node> unpacked = new HashMap<>(); // by output
  private final Map<String, Integer> made = new HashMap<>(); // by output: the last copy's position
  private final Map<String, Integer> copies = new HashMap<>();
  private final List<Node> result = new ArrayList<>();

  private Unpacking(Shapes shapes) {
    this.shapes = shapes;
  }

  /** The nodes with those that depend on constant bytes alone moved and copied. */
  static List<Node> late(List<Node> nodes, Shapes shapes) {
    Unpacking unpacking = new Unpacking(shapes);
    for (Node node : nodes) {
      if (unpacking.unpacks(node)) {
        node.outputs().forEach(output -> unpacking.unpacked.put(output, node));
      }
    }
    if (unpacking.unpacked.isEmpty()) {
      return nodes;
    }
    nodes.forEach(unpacking::add);
    return unpacking.result;
  }

  private boolean unpacks(Node node) {
    boolean bytes = false;
    for (String input : node.inputs()) {
      boolean own = unpacked.containsKey(input);
      if (!own && !shapes.constant(input) && shapes.of(input).known() == null) {
        return false;
      }
      bytes |= own || (shapes.constant(input) && shapes.of(input).type() == DataType.UINT8);
    }
    return bytes;
  }

  private void add(Node node) {
    if (!unpacked.containsKey(node.outputs().get(0))) {
      Set<String> needed = new LinkedHashSet<>(node.inputs());
      needed.retainAll(unpacked.keySet());
      needed.forEach(this::make);
      result.add(node.renamed(this::current, output -> output));
    }
  }

  /** Makes a value again unless it was made just before. */
  private void make(String value) {
    if (made.containsKey(value) && result.size() - made.get(value) <= NEAR) {
      return;
    }
    Node node = unpacked.get(value);
    for (String input : node.inputs()) {
      if (unpacked.containsKey(input)) {
        make(input);
      }
    }
    for (String output : node.outputs()) {
      int copy = copies.merge(output, 1, Integer::sum);
      if (copy > 1) {
        shapes.alias(name(output, copy), output);
      }
    }
    result.add(node.renamed(this::current, this::current));
    node.outputs().forEach(output -> made.put(output, result.size()));
  }

  /** Name of the last copy of a value, or the value's own. */
  private String current(String value) {
    return name(value, copies.getOrDefault(value, 1));
  }

  private static String name(String value, int copy) {
    return copy == 1 ? value : value + "#" + copy;
  }
}

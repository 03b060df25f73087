package org.tokentune.plan;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Has weights that are constants of bytes made floats right before each op that reads the floats,
 * forward and backward, so that those of one op are live at once.
 */
final class DequantiseBeforeUse {

  private final Shapes shapes;
  private final Map<String, Node> makers = new HashMap<>(); // of floats, by name

  private DequantiseBeforeUse(Shapes shapes) {
    this.shapes = shapes;
  }

  /** The nodes with those that depend on constant bytes alone moved and copied. */
  static List<Node> late(List<Node> nodes, Shapes shapes) {
    DequantiseBeforeUse unpacking = new DequantiseBeforeUse(shapes);
    for (Node node : nodes) {
      if (unpacking.unpacks(node)) {
        node.outputs().forEach(output -> unpacking.makers.put(output, node));
      }
    }
    if (unpacking.makers.isEmpty()) {
      return nodes;
    }
    Rematerialisation late = new Rematerialisation(unpacking.makers, "#floats", shapes);
    nodes.stream()
        .filter(node -> !unpacking.makers.containsKey(node.outputs().get(0)))
        .forEach(late::addReader);
    return late.nodes();
  }

  private boolean unpacks(Node node) {
    boolean bytes = false;
    for (String input : node.inputs()) {
      boolean own = makers.containsKey(input);
      if (!own && !shapes.constant(input) && shapes.of(input).known() == null) {
        return false;
      }
      bytes |= own || (shapes.constant(input) && shapes.of(input).type() == DataType.UINT8);
    }
    return bytes;
  }
}

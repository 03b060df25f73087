package org.tokentune.plan;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Dequantises weights stored as byte constants right before each op that reads them, forward and
 * backward, so that only one op's floats are live at a time.
 */
final class DequantiseBeforeUse {

  private final Shapes shapes;
  private final Map<String, Node> makers = new HashMap<>(); // by name of the floats

  private DequantiseBeforeUse(Shapes shapes) {
    this.shapes = shapes;
  }

  /** The nodes, with those that depend only on constant bytes moved and copied. */
  static List<Node> late(List<Node> nodes, Shapes shapes) {
    DequantiseBeforeUse pass = new DequantiseBeforeUse(shapes);
    for (Node node : nodes) {
      if (pass.dequantises(node)) {
        node.outputs().forEach(output -> pass.makers.put(output, node));
      }
    }
    if (pass.makers.isEmpty()) {
      return nodes;
    }
    Rematerialisation rematerialised = new Rematerialisation(pass.makers, "#floats", shapes);
    nodes.stream()
        .filter(node -> !pass.makers.containsKey(node.outputs().get(0)))
        .forEach(rematerialised::addReader);
    return rematerialised.nodes();
  }

  private boolean dequantises(Node node) {
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

package org.tokentune.plan.internal;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Dequantises weights stored as byte constants right before each op that reads them, forward and
 * backward, so that only one op's floats are live at a time.
 */
final class DequantiseBeforeUse implements PlannerPass {

  private final Shapes shapes;
  private final Map<String, Node> producers = new HashMap<>(); // by name of the floats

  DequantiseBeforeUse(Shapes shapes) {
    this.shapes = shapes;
  }

  /** The nodes, with those that depend only on constant bytes moved and copied. */
  @Override
  public List<Node> apply(List<Node> nodes) {
    for (Node node : nodes) {
      if (dequantises(node)) {
        node.outputs().forEach(output -> producers.put(output, node));
      }
    }
    if (producers.isEmpty()) {
      return nodes;
    }
    Rematerialisation rematerialised = new Rematerialisation(producers, "#floats", shapes);
    nodes.stream()
        .filter(node -> !producers.containsKey(node.outputs().get(0)))
        .forEach(rematerialised::addReader);
    return rematerialised.nodes();
  }

  private boolean dequantises(Node node) {
    boolean bytes = false;
    for (String input : node.inputs()) {
      boolean own = producers.containsKey(input);
      if (!own && !shapes.constant(input) && shapes.of(input).known() == null) {
        return false;
      }
      bytes |= own || (shapes.constant(input) && shapes.of(input).type() == DataType.UINT8);
    }
    return bytes;
  }
}

package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tokentune.ops.internal.FusedOp;
import org.tokentune.ops.internal.FusedQuantizedMatmul;

/**
 * Multiplies few rows with a quantised weight as it lies in memory, instead of making its floats
 * first: reading these would take longer than the product. What dequantises for nobody else goes.
 */
final class QuantizedMatmuls implements PlannerPass {

  /** Most rows of x: for more, floats pay off, which all rows share. */
  private static final long MAX_ROWS = 4;

  private final Shapes shapes;
  private final Map<String, Node> weights = new HashMap<>(); // by name of the floats

  QuantizedMatmuls(Shapes shapes) {
    this.shapes = shapes;
  }

  @Override
  public List<Node> apply(List<Node> nodes) {
    for (Node node : nodes) {
      String output = node.outputs().get(0);
      if (node.op() instanceof FusedOp op
          && node.inputs().stream().allMatch(shapes::constant)
          && FusedQuantizedMatmul.supports(op, shapes.of(output).shape())) {
        weights.put(output, node);
      }
    }
    return weights.isEmpty() ? nodes : nodes.stream().map(this::replaced).toList();
  }

  private Node replaced(Node node) {
    if (!node.isMatmul()
        || !weights.containsKey(node.inputs().get(1))
        || Matmuls.transposes(node, 0)
        || !Matmuls.transposes(node, 1)
        || Matmuls.transposes(node, 2)
        || shapes.of(node.outputs().get(0)).shape()[0] > MAX_ROWS) {
      return node;
    }
    Node weight = weights.get(node.inputs().get(1));
    List<String> inputs = new ArrayList<>(List.of(node.inputs().get(0)));
    inputs.addAll(weight.inputs());
    long[] shape = shapes.of(node.inputs().get(1)).shape();
    return new Node(new FusedQuantizedMatmul((FusedOp) weight.op(), shape), inputs, node.outputs());
  }
}

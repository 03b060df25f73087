package org.tokentune.plan.internal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;

/** The ops of a graph as nodes, in the graph's order, and by the values that they compute. */
final class GraphNodes {

  private final List<Node> all = new ArrayList<>();
  private final Map<String, Node> producers = new HashMap<>();

  GraphNodes(SameDiff sd) {
    for (SameDiffOp op : sd.getOps().values()) {
      Node node =
          new Node(
              op.getOp(),
              op.getInputsToOp() == null ? List.of() : List.copyOf(op.getInputsToOp()),
              List.copyOf(op.getOutputsOfOp()));
      all.add(node);
      node.outputs().forEach(output -> producers.put(output, node));
    }
  }

  List<Node> all() {
    return all;
  }

  /** The node that computes a value; null if none does. */
  Node producer(String value) {
    return producers.get(value);
  }

  /**
   * Adds the producer of a value after everything that it depends on.
   *
   * @param followed which inputs count as such
   * @param done first outputs of the nodes that are added already
   */
  void visit(String value, Predicate<String> followed, Set<String> done, List<Node> ordered) {
    Deque<Node> stack = new ArrayDeque<>();
    push(value, done, stack);
    while (!stack.isEmpty()) {
      Node node = stack.peek();
      int before = stack.size();
      node.inputs().stream().filter(followed).forEach(input -> push(input, done, stack));
      if (stack.size() == before) {
        stack.pop();
        if (done.add(node.outputs().get(0))) {
          ordered.add(node);
        }
      }
    }
  }

  private void push(String value, Set<String> done, Deque<Node> stack) {
    Node node = producers.get(value);
    if (node != null && !done.contains(node.outputs().get(0))) {
      stack.push(node);
    }
  }
}

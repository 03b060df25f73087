package org.tokentune.plan.internal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The ops needed for some results in execution order: first the forward pass, then the backward
 * pass.
 *
 * @param sd the graph that holds the ops, variables, constants and placeholders
 * @param forward number of nodes of the forward pass
 * @param gradients names of the gradients by variable
 */
record OpSchedule(SameDiff sd, List<Node> nodes, int forward, Map<String, String> gradients) {

  /**
   * Extracts the needed ops from a graph, to which it adds those of the backward pass.
   *
   * @param outputs results of the forward pass
   * @param trained variables to compute gradients for; empty for a forward pass only
   */
  static OpSchedule of(SameDiff sd, Collection<String> outputs, Collection<String> trained) {
    Map<String, String> gradients = trained.isEmpty() ? Map.of() : Backpropagation.add(sd, trained);
    Map<String, Node> producers = new HashMap<>();
    List<Node> all = new ArrayList<>();
    for (SameDiffOp op : sd.getOps().values()) {
      Node node =
          new Node(
              op.getOp(),
              op.getInputsToOp() == null ? List.of() : List.copyOf(op.getInputsToOp()),
              List.copyOf(op.getOutputsOfOp()));
      all.add(node);
      node.outputs().forEach(output -> producers.put(output, node));
    }
    List<Node> ordered = new ArrayList<>();
    Set<String> done = new HashSet<>();
    outputs.forEach(output -> visit(output, producers, done, ordered));
    sd.getLossVariables().stream()
        .filter(loss -> !trained.isEmpty())
        .forEach(loss -> visit(loss, producers, done, ordered));
    int forward = ordered.size();
    // SameDiff creates gradients in reverse op order; keeping it frees memory as early as possible.
    Set<String> needed = new HashSet<>();
    List<Node> reached = new ArrayList<>();
    gradients.values().forEach(gradient -> visit(gradient, producers, needed, reached));
    for (Node node : all) {
      if (needed.contains(node.outputs().get(0))) {
        node.outputs().forEach(output -> visit(output, producers, done, ordered));
      }
    }
    return new OpSchedule(sd, List.copyOf(ordered), forward, gradients);
  }

  /** Names of the values computed in the forward pass. */
  Set<String> forwardValues() {
    Set<String> values = new HashSet<>();
    nodes.subList(0, forward).forEach(node -> values.addAll(node.outputs()));
    return values;
  }

  /** How many of the graph's ops are needed, in one line. */
  String report() {
    return "prune: " + nodes.size() + " of the graph's " + sd.getOps().size() + " ops are needed";
  }

  /** The array of a constant or variable. */
  INDArray array(String name) {
    return sd.getVariable(name).getArr();
  }

  /** Whether a value is a constant or variable of floats or bytes with more than one element. */
  boolean isParameter(String name) {
    boolean held = sd.hasVariable(name) && sd.getVariable(name).getArr() != null;
    return held
        && (array(name).dataType().isFPType() || array(name).dataType() == DataType.UINT8)
        && array(name).length() > 1;
  }

  /** Adds the producer of {@code name} after everything it depends on. */
  private static void visit(
      String name, Map<String, Node> producers, Set<String> done, List<Node> ordered) {
    Deque<Node> stack = new ArrayDeque<>();
    push(producers.get(name), done, stack);
    while (!stack.isEmpty()) {
      Node node = stack.peek();
      int before = stack.size();
      for (String input : node.inputs()) {
        push(producers.get(input), done, stack);
      }
      if (stack.size() == before) {
        stack.pop();
        if (done.add(node.outputs().get(0))) {
          ordered.add(node);
        }
      }
    }
  }

  private static void push(Node node, Set<String> done, Deque<Node> stack) {
    if (node != null && !done.contains(node.outputs().get(0))) {
      stack.push(node);
    }
  }
}

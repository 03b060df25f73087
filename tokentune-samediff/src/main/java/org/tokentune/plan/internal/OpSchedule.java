package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.nd4j.autodiff.samediff.SameDiff;
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
    GraphNodes graph = new GraphNodes(sd);
    Predicate<String> any = input -> true;
    List<Node> ordered = new ArrayList<>();
    Set<String> done = new HashSet<>();
    outputs.forEach(output -> graph.visit(output, any, done, ordered));
    sd.getLossVariables().stream()
        .filter(loss -> !trained.isEmpty())
        .forEach(loss -> graph.visit(loss, any, done, ordered));
    int forward = ordered.size();
    // SameDiff creates gradients in reverse op order; keeping it frees memory as early as possible.
    Set<String> needed = new HashSet<>();
    List<Node> reached = new ArrayList<>();
    gradients.values().forEach(gradient -> graph.visit(gradient, any, needed, reached));
    for (Node node : graph.all()) {
      if (needed.contains(node.outputs().get(0))) {
        node.outputs().forEach(output -> graph.visit(output, any, done, ordered));
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
}

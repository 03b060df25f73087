package org.tokentune.plan.internal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;

/**
 * Adds the ops of the backward pass to a graph, from each op's own gradient, in the order in which
 * {@link SameDiff#createGradFunction} adds them. That method copies the graph op by op, and the
 * list of all variables for every op: most of the time that planning a deep model takes.
 */
final class Backpropagation {

  private static final String ONE = "gradient of the loss";

  private final SameDiff sd;
  private final GraphNodes graph; // of the forward pass
  private final Map<String, SDVariable> gradients = new HashMap<>(); // by variable
  private final Set<String> dependent = new HashSet<>(); // variables between the trained and a loss
  private final Map<String, List<String>> users = new HashMap<>(); // nodes by input
  private final Set<String> differentiated = new HashSet<>(); // nodes, by first output

  private Backpropagation(SameDiff sd) {
    this.sd = sd;
    graph = new GraphNodes(sd);
  }

  /**
   * Adds the ops.
   *
   * @param sd has loss variables
   * @param trained variables
   * @return names of the gradients by trained variable
   */
  static Map<String, String> add(SameDiff sd, Collection<String> trained) {
    Backpropagation pass = new Backpropagation(sd);
    pass.findDependent(pass.forward(), Set.copyOf(trained));
    pass.run();
    Map<String, String> names = new LinkedHashMap<>();
    for (String name : trained) {
      SDVariable gradient = pass.gradients.get(name);
      if (gradient == null) {
        throw new BadInputException(
            "The loss does not depend on %s; leave it out of what is trained.", name);
      }
      names.put(name, gradient.name());
    }
    return names;
  }

  /** The nodes that a loss needs, each after those whose results it reads. */
  private List<Node> forward() {
    List<Node> ordered = new ArrayList<>();
    Set<String> done = new HashSet<>();
    sd.getLossVariables().forEach(loss -> graph.visit(loss, this::isFloat, done, ordered));
    return ordered;
  }

  private void findDependent(List<Node> forward, Set<String> trained) {
    for (Node node : forward) {
      node.inputs().stream().filter(trained::contains).forEach(dependent::add);
      if (node.inputs().stream().anyMatch(dependent::contains)) {
        node.outputs().stream().filter(this::isFloat).forEach(dependent::add);
        for (String input : node.inputs()) {
          users.computeIfAbsent(input, name -> new ArrayList<>()).add(node.outputs().get(0));
        }
      }
    }
  }

  /** Differentiates node after node, each as soon as the gradients of its results are complete. */
  private void run() {
    SDVariable one =
        sd.hasVariable(ONE) ? sd.getVariable(ONE) : sd.constant(ONE, Nd4j.scalar(1.0f));
    Deque<Node> ready = new ArrayDeque<>();
    Set<String> queued = new HashSet<>();
    for (String loss : sd.getLossVariables()) {
      gradients.put(loss, one);
      if (dependent.contains(loss) && queued.add(graph.producer(loss).outputs().get(0))) {
        ready.add(graph.producer(loss));
      }
    }
    while (!ready.isEmpty()) {
      Node node = ready.remove();
      differentiate(node);
      differentiated.add(node.outputs().get(0));
      for (String input : node.inputs()) {
        Node next = graph.producer(input);
        if (next != null && isReady(next) && queued.add(next.outputs().get(0))) {
          ready.add(next);
        }
      }
    }
  }

  private boolean isReady(Node node) {
    return node.inputs().stream().anyMatch(dependent::contains)
        && node.outputs().stream()
            .filter(dependent::contains)
            .allMatch(value -> differentiated.containsAll(users.getOrDefault(value, List.of())));
  }

  private void differentiate(Node node) {
    List<SDVariable> ofOutputs = new ArrayList<>();
    for (String output : node.outputs()) {
      SDVariable gradient = gradients.get(output);
      if (gradient == null && isFloat(output)) {
        gradient = sd.zerosLike(sd.getVariable(output));
      }
      ofOutputs.add(gradient);
    }
    List<SDVariable> ofInputs = node.op().doDiff(ofOutputs);
    for (int i = 0; i < ofInputs.size(); i++) {
      String input = node.inputs().get(i);
      if (dependent.contains(input)) {
        SDVariable own = ofInputs.get(i);
        SDVariable others = gradients.get(input);
        gradients.put(input, others == null ? own : sd.math().add(others, own));
      }
    }
  }

  private boolean isFloat(String variable) {
    return sd.getVariable(variable).dataType().isFPType();
  }
}

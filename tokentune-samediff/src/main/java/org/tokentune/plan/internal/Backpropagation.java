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
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
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
  private final Map<String, SDVariable> gradients = new HashMap<>(); // by variable
  private final Set<String> dependent = new HashSet<>(); // variables between the trained and a loss
  private final Map<String, List<String>> users = new HashMap<>(); // ops by input, up to a loss
  private final Set<String> differentiated = new HashSet<>(); // ops

  private Backpropagation(SameDiff sd) {
    this.sd = sd;
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
    List<SameDiffOp> forward = pass.forward();
    pass.findDependent(forward, Set.copyOf(trained));
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

  /** The ops that a loss needs, each after those whose results it reads. */
  private List<SameDiffOp> forward() {
    List<SameDiffOp> ordered = new ArrayList<>();
    Set<String> done = new HashSet<>();
    Deque<SameDiffOp> stack = new ArrayDeque<>();
    for (String loss : sd.getLossVariables()) {
      push(loss, done, stack);
      while (!stack.isEmpty()) {
        SameDiffOp op = stack.peek();
        int before = stack.size();
        for (String input : inputs(op)) {
          if (isFloat(input)) {
            push(input, done, stack);
          }
        }
        if (stack.size() == before) {
          stack.pop();
          if (done.add(op.getName())) {
            ordered.add(op);
          }
        }
      }
    }
    return ordered;
  }

  private void push(String variable, Set<String> done, Deque<SameDiffOp> stack) {
    SameDiffOp op = producer(variable);
    if (op != null && !done.contains(op.getName())) {
      stack.push(op);
    }
  }

  private void findDependent(List<SameDiffOp> forward, Set<String> trained) {
    for (SameDiffOp op : forward) {
      boolean depends = false;
      for (String input : inputs(op)) {
        if (trained.contains(input)) {
          dependent.add(input);
        }
        depends |= dependent.contains(input);
      }
      if (depends) {
        op.getOutputsOfOp().stream().filter(this::isFloat).forEach(dependent::add);
        for (String input : inputs(op)) {
          users.computeIfAbsent(input, name -> new ArrayList<>()).add(op.getName());
        }
      }
    }
  }

  /** Differentiates op after op, each as soon as the gradients of its results are complete. */
  private void run() {
    SDVariable one =
        sd.hasVariable(ONE) ? sd.getVariable(ONE) : sd.constant(ONE, Nd4j.scalar(1.0f));
    Deque<SameDiffOp> ready = new ArrayDeque<>();
    for (String loss : sd.getLossVariables()) {
      gradients.put(loss, one);
      if (dependent.contains(loss)) {
        ready.add(producer(loss));
      }
    }
    while (!ready.isEmpty()) {
      SameDiffOp op = ready.remove();
      differentiate(op);
      differentiated.add(op.getName());
      for (String input : inputs(op)) {
        SameDiffOp next = producer(input);
        if (next != null && isReady(next) && !ready.contains(next)) {
          ready.add(next);
        }
      }
    }
  }

  private boolean isReady(SameDiffOp op) {
    if (differentiated.contains(op.getName())
        || inputs(op).stream().noneMatch(dependent::contains)) {
      return false;
    }
    for (String output : op.getOutputsOfOp()) {
      boolean needed = dependent.contains(output) && users.containsKey(output);
      if (needed && !differentiated.containsAll(users.get(output))) {
        return false;
      }
    }
    return true;
  }

  private void differentiate(SameDiffOp op) {
    List<SDVariable> ofOutputs = new ArrayList<>();
    for (String output : op.getOutputsOfOp()) {
      SDVariable gradient = gradients.get(output);
      if (gradient == null && isFloat(output)) {
        gradient = sd.zerosLike(sd.getVariable(output));
      }
      ofOutputs.add(gradient);
    }
    List<SDVariable> ofInputs = op.getOp().doDiff(ofOutputs);
    for (int i = 0; i < ofInputs.size(); i++) {
      String input = inputs(op).get(i);
      if (dependent.contains(input)) {
        SDVariable own = ofInputs.get(i);
        SDVariable others = gradients.get(input);
        gradients.put(input, others == null ? own : sd.math().add(others, own));
      }
    }
  }

  private static List<String> inputs(SameDiffOp op) {
    return op.getInputsToOp() == null ? List.of() : op.getInputsToOp();
  }

  /** The op whose result a variable is; null if none. */
  private SameDiffOp producer(String variable) {
    String op = sd.getVariables().get(variable).getOutputOfOp();
    return op == null ? null : sd.getOps().get(op);
  }

  private boolean isFloat(String variable) {
    return sd.getVariable(variable).dataType().isFPType();
  }
}

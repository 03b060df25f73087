package org.tokentune.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ops.DynamicCustomOp;

/**
 * Updates every variable as soon as its gradient is complete and the variable is read no more, so
 * that the gradient's memory is free again at once (as in LOMO: Lv et al., 2023).
 */
final class Updates {

  private final List<Node> nodes;
  private final Views views;
  private final Shapes shapes;

  Updates(List<Node> nodes, Views views, Shapes shapes) {
    this.nodes = nodes;
    this.views = views;
    this.shapes = shapes;
  }

  /**
   * The nodes with an {@link Update} for each variable.
   *
   * @param gradients names of the gradients by variable
   */
  List<Node> insert(Map<String, String> gradients) {
    Map<String, Integer> touched = new HashMap<>(); // by buffer in the arena: the last op
    Map<Long, Integer> read = new HashMap<>(); // by memory outside: the last op
    for (int i = 0; i < nodes.size(); i++) {
      for (String input : nodes.get(i).inputs()) {
        String buffer = views.of(input).buffer();
        touched.put(buffer, i);
        if (shapes.held(buffer)) {
          read.put(shapes.memory(buffer), i);
        }
      }
      for (String output : nodes.get(i).outputs()) {
        touched.put(views.of(output).buffer(), i);
      }
    }
    Map<Integer, List<Node>> copies = new HashMap<>();
    Map<Integer, List<Node>> updates = new HashMap<>();
    Set<String> owned = new HashSet<>();
    gradients.forEach(
        (variable, gradient) -> {
          String buffer = views.of(gradient).buffer();
          int complete = touched.getOrDefault(buffer, 0);
          String own = gradient;
          if (!owned.add(buffer) || shapes.held(buffer) || shapes.of(buffer).known() != null) {
            // An update may overwrite the gradient, and this memory is another's too.
            own = gradient + "#own." + variable;
            shapes.alias(own, gradient);
            put(copies, complete, node("identity", gradient, own));
          }
          int free = read.getOrDefault(shapes.memory(variable), 0);
          Node update = new Node(new Update(variable), List.of(own, variable), List.of());
          put(updates, Math.max(complete, free), update);
        });
    List<Node> result = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      result.add(nodes.get(i));
      result.addAll(copies.getOrDefault(i, List.of()));
      result.addAll(updates.getOrDefault(i, List.of()));
    }
    return result;
  }

  private static Node node(String op, String input, String output) {
    return new Node(DynamicCustomOp.builder(op).build(), List.of(input), List.of(output));
  }

  private static void put(Map<Integer, List<Node>> lists, int index, Node node) {
    lists.computeIfAbsent(index, key -> new ArrayList<>()).add(node);
  }
}

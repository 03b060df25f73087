package org.tokentune.plan;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Splits gradients that are joined from row slices and read by nothing else, so that every slice
 * can be applied and its memory freed as soon as it is complete.
 *
 * @param nodes the nodes without those that joined the slices
 * @param gradients slices by variable, in row order
 */
record GradientSlices(List<Node> nodes, Map<String, List<String>> gradients) {

  /**
   * @param gradients by variable
   */
  static GradientSlices apart(List<Node> nodes, Map<String, String> gradients) {
    Map<String, Node> joining = new HashMap<>();
    for (Node node : nodes) {
      if (AliasAnalysis.joinsRows(node)) {
        joining.put(node.outputs().get(0), node);
      }
    }
    nodes.forEach(node -> node.inputs().forEach(joining::remove));
    Map<String, List<String>> apart = new LinkedHashMap<>();
    gradients.forEach(
        (variable, gradient) ->
            apart.put(
                variable,
                joining.containsKey(gradient)
                    ? joining.get(gradient).inputs()
                    : List.of(gradient)));
    joining.keySet().retainAll(gradients.values());
    List<Node> rest =
        nodes.stream().filter(node -> !joining.containsKey(node.outputs().get(0))).toList();
    return new GradientSlices(rest, apart);
  }

  /** Leaves gradients unsplit. */
  static GradientSlices whole(List<Node> nodes, Map<String, String> gradients) {
    Map<String, List<String>> whole = new LinkedHashMap<>();
    gradients.forEach((variable, gradient) -> whole.put(variable, List.of(gradient)));
    return new GradientSlices(nodes, whole);
  }

  /** Names of all slices. */
  Set<String> names() {
    return gradients.values().stream().flatMap(List::stream).collect(Collectors.toSet());
  }
}

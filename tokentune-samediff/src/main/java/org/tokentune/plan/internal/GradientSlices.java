package org.tokentune.plan.internal;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.tokentune.ops.internal.Aliasing;

/**
 * Splits gradients that are joined from row slices and read by nothing else, so that every slice
 * can be applied and its memory freed as soon as it is complete.
 */
final class GradientSlices implements PlannerPass {

  private final Map<String, String> gradients;
  private final boolean split;
  private final Map<String, List<String>> slices = new LinkedHashMap<>();

  /**
   * @param gradients by variable
   * @param split whether to split any
   */
  GradientSlices(Map<String, String> gradients, boolean split) {
    this.gradients = gradients;
    this.split = split;
  }

  /** The nodes without those that joined the slices. */
  @Override
  public List<Node> apply(List<Node> nodes) {
    Map<String, Node> joining = split ? joining(nodes) : Map.of();
    gradients.forEach(
        (variable, gradient) ->
            slices.put(
                variable,
                joining.containsKey(gradient)
                    ? joining.get(gradient).inputs()
                    : List.of(gradient)));
    return nodes.stream().filter(node -> !joining.containsKey(node.outputs().get(0))).toList();
  }

  /** Nodes that only join a gradient's row slices, by gradient. */
  private Map<String, Node> joining(List<Node> nodes) {
    Map<String, Node> joining = new HashMap<>();
    for (Node node : nodes) {
      if (node.aliasing() == Aliasing.CONCATENATE_ROWS) {
        joining.put(node.outputs().get(0), node);
      }
    }
    nodes.forEach(node -> node.inputs().forEach(joining::remove));
    joining.keySet().retainAll(gradients.values());
    return joining;
  }

  /** Names of the slices by variable, in row order; a gradient that is not split is one slice. */
  Map<String, List<String>> slices() {
    return slices;
  }

  /** Names of all slices. */
  Set<String> names() {
    return slices.values().stream().flatMap(List::stream).collect(Collectors.toSet());
  }
}

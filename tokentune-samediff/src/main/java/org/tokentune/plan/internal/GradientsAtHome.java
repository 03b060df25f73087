package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tokentune.ops.internal.OpTraits;

/**
 * Gives every gradient that is returned in a {@link GradientHome} a buffer of its own, which can
 * then be placed there: a gradient in memory that it shares with another value is copied.
 */
final class GradientsAtHome implements PlannerPass {

  private final Map<String, String> gradients;
  private final AliasAnalysis aliases;
  private final Shapes shapes;
  private final GradientHome home;
  private final Map<String, String> placed = new LinkedHashMap<>();

  /**
   * @param gradients by variable
   * @param home null: the pass does nothing
   */
  GradientsAtHome(
      Map<String, String> gradients, AliasAnalysis aliases, Shapes shapes, GradientHome home) {
    this.gradients = gradients;
    this.aliases = aliases;
    this.shapes = shapes;
    this.home = home;
  }

  @Override
  public List<Node> apply(List<Node> nodes) {
    if (home == null) {
      return nodes;
    }
    Map<String, Integer> users = new HashMap<>();
    gradients.values().forEach(name -> users.merge(aliases.of(name).buffer(), 1, Integer::sum));
    Set<String> computed = new HashSet<>();
    nodes.forEach(node -> node.outputs().forEach(name -> computed.add(aliases.of(name).buffer())));
    List<Node> result = new ArrayList<>(nodes);
    gradients.forEach(
        (variable, gradient) -> {
          AliasAnalysis.View view = aliases.of(gradient);
          boolean own =
              users.get(view.buffer()) == 1
                  && computed.contains(view.buffer())
                  && !shapes.held(view.buffer())
                  && shapes.of(view.buffer()).elements() == shapes.of(gradient).elements();
          String name = own ? gradient : gradient + "#home." + variable;
          if (!own) {
            shapes.put(name, view.shape(), shapes.of(gradient).type());
            result.add(new Node(OpTraits.copy(), List.of(gradient), List.of(name)));
          }
          placed.put(variable, name);
        });
    return result;
  }

  /** Names of the gradients by variable, each in a buffer of its own; all of them if no home. */
  Map<String, String> names() {
    return home == null ? gradients : placed;
  }

  /** Where a buffer must be, in elements, by the name of a value in it. */
  Map<String, Long> offsets() {
    Map<String, Long> offsets = new HashMap<>();
    placed.forEach((variable, name) -> offsets.put(name, home.offset(variable)));
    return offsets;
  }
}

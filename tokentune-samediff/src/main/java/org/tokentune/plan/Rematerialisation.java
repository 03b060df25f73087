package org.tokentune.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Recomputes cheap values right before each op that reads them, so that they are not live between
 * uses. A reader that follows within a few ops shares the same copy.
 */
final class Rematerialisation {

  /** Most ops between two uses that share a copy. */
  private static final int NEAR = 4;

  private final Map<String, Node> makers;
  private final String suffix;
  private final Shapes shapes;
  private final Map<String, Integer> made = new HashMap<>(); // position of the last copy, by value
  private final Map<String, Integer> copies = new HashMap<>();
  private final List<Node> result = new ArrayList<>();

  /**
   * @param makers nodes that compute the values, by name
   * @param suffix suffix for the names of copies
   */
  Rematerialisation(Map<String, Node> makers, String suffix, Shapes shapes) {
    this.makers = makers;
    this.suffix = suffix;
    this.shapes = shapes;
  }

  /** The nodes so far. */
  List<Node> nodes() {
    return result;
  }

  /** Adds a node unchanged. */
  void add(Node node) {
    result.add(node);
  }

  /** Adds a node, preceded by the values it reads. */
  void addReader(Node node) {
    Set<String> needed = new LinkedHashSet<>(node.inputs());
    needed.retainAll(makers.keySet());
    needed.forEach(this::make);
    result.add(node.renamed(this::current, output -> output));
  }

  private void make(String value) {
    if (made.containsKey(value) && result.size() - made.get(value) <= NEAR) {
      return;
    }
    Node maker = makers.get(value);
    maker.inputs().stream().filter(makers::containsKey).forEach(this::make);
    for (String output : maker.outputs()) {
      copies.merge(output, 1, Integer::sum);
      shapes.alias(current(output), output);
    }
    result.add(maker.renamed(this::current, this::current));
    maker.outputs().forEach(output -> made.put(output, result.size()));
  }

  /** Name of a value's last copy, or the value's own name if it has none. */
  private String current(String value) {
    return copies.containsKey(value) ? value + suffix + copies.get(value) : value;
  }
}

package org.tokentune.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Has cheap values made right before each op that reads them, so that they are not live between
 * their uses. An op that follows within a few ops reads the same copy.
 */
final class Rematerialisation {

  /** Ops between two uses for which a copy is kept. */
  private static final int NEAR = 4;

  private final Map<String, Node> makers;
  private final String suffix;
  private final Shapes shapes;
  private final Map<String, Integer> made = new HashMap<>(); // by value: the last copy's position
  private final Map<String, Integer> copies = new HashMap<>();
  private final List<Node> result = new ArrayList<>();

  /**
   * @param makers of the values, by name
   * @param suffix of the names of copies
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

  /** Adds a node as it is. */
  void add(Node node) {
    result.add(node);
  }

  /** Adds a node, and before it what it reads. */
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

  /** Name of the last copy of a value; of others their own. */
  private String current(String value) {
    return copies.containsKey(value) ? value + suffix + copies.get(value) : value;
  }
}

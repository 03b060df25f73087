package org.tokentune.plan.internal;

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

  private final Map<String, Node> producers;
  private final String suffix;
  private final Shapes shapes;
  private final Map<String, Integer> copiedAt =
      new HashMap<>(); // position of the last copy, by value
  private final Map<String, Integer> copies = new HashMap<>();
  private final List<Node> result = new ArrayList<>();

  /**
   * @param producers nodes that compute the values, by name
   * @param suffix suffix for the names of copies
   */
  Rematerialisation(Map<String, Node> producers, String suffix, Shapes shapes) {
    this.producers = producers;
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
    needed.retainAll(producers.keySet());
    needed.forEach(this::recompute);
    result.add(node.renamed(this::current, output -> output));
  }

  private void recompute(String value) {
    if (copiedAt.containsKey(value) && result.size() - copiedAt.get(value) <= NEAR) {
      return;
    }
    Node producer = producers.get(value);
    producer.inputs().stream().filter(producers::containsKey).forEach(this::recompute);
    for (String output : producer.outputs()) {
      copies.merge(output, 1, Integer::sum);
      shapes.alias(current(output), output);
    }
    result.add(producer.renamed(this::current, this::current));
    producer.outputs().forEach(output -> copiedAt.put(output, result.size()));
  }

  /** Name of a value's last copy, or the value's own name if it has none. */
  private String current(String value) {
    return copies.containsKey(value) ? value + suffix + copies.get(value) : value;
  }
}

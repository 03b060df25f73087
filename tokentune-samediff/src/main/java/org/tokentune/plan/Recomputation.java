package org.tokentune.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.tokentune.ops.FusedOp;

/**
 * Puts copies of forward ops before the backward ops that read their results, so that the results
 * need not be kept from one to the other.
 */
final class Recomputation {

  private static final String AGAIN = "#again";

  private final List<Node> nodes;
  private final Set<String> forward;
  private final Shapes shapes;
  private final Map<String, Node> producers = new HashMap<>();

  /**
   * @param forward outputs of the forward pass
   */
  Recomputation(List<Node> nodes, Set<String> forward, Shapes shapes) {
    this.nodes = nodes;
    this.forward = forward;
    this.shapes = shapes;
    for (Node node : nodes) {
      if (forward.contains(node.outputs().get(0))) {
        node.outputs().forEach(output -> producers.put(output, node));
      }
    }
  }

  /**
   * Chooses and applies.
   *
   * @param bytes live bytes of a list of nodes
   * @param checkpoint values that are kept where whole blocks are recomputed
   */
  List<Node> apply(
      Recompute level, ToLongFunction<List<Node>> bytes, Predicate<String> checkpoint) {
    if (level == Recompute.NOTHING || forward.size() == nodes.size()) {
      return nodes;
    }
    if (level == Recompute.BLOCKS) {
      Set<String> dropped = new LinkedHashSet<>(producers.keySet());
      dropped.removeIf(checkpoint);
      return without(dropped);
    }
    Set<String> dropped = new LinkedHashSet<>();
    if (level == Recompute.ATTENTION) {
      dropped.addAll(attention());
    }
    List<Node> best = without(dropped);
    long least = bytes.applyAsLong(best);
    for (List<String> alike : elementwise().values()) {
      Set<String> more = new LinkedHashSet<>(dropped);
      more.addAll(alike);
      List<Node> fewer = without(more);
      long live = bytes.applyAsLong(fewer);
      if (live < least) {
        least = live;
        best = fewer;
        dropped = more;
      }
    }
    return best;
  }

  /**
   * Attention weights, the scores they are made of, and joined streams with what is frozen of them.
   */
  private Set<String> attention() {
    Set<String> dropped = new LinkedHashSet<>();
    for (Node node : nodes) {
      if (!producers.containsKey(node.outputs().get(0))) {
        continue;
      }
      if (node.op().opName().equals("fused_softmax")) {
        dropped.add(node.outputs().get(0));
        dropped.add(node.inputs().get(0));
      } else if (node.op().opName().equals("fused_join_tokens")) {
        dropped.add(node.outputs().get(0));
        String value = node.inputs().get(1);
        // Back to the product: its input, the frozen hidden states, is what is kept.
        while (producers.containsKey(value)) {
          Node producer = producers.get(value);
          dropped.add(value);
          if (producer.op().opName().equals(Views.PRODUCT)) {
            break;
          }
          value = producer.inputs().get(0);
        }
      }
    }
    return dropped;
  }

  /** Results of cheap ops by the op's name: all of a kind stand or fall together. */
  private Map<String, List<String>> elementwise() {
    Map<String, List<String>> groups = new LinkedHashMap<>();
    for (Node node : nodes) {
      String output = node.outputs().get(0);
      if (producers.containsKey(output)
          && node.op() instanceof FusedOp fused
          && fused.elementwise()) {
        groups.computeIfAbsent(fused.opName(), name -> new ArrayList<>()).add(output);
      }
    }
    return groups;
  }

  /** The nodes with copies in the backward pass of what makes {@code dropped}. */
  private List<Node> without(Set<String> dropped) {
    Set<String> gone = new HashSet<>(dropped);
    List<Node> result = new ArrayList<>();
    Set<String> again = new HashSet<>();
    for (Node node : nodes) {
      if (producers.containsKey(node.outputs().get(0))) {
        if (Views.isView(node) && gone.contains(node.inputs().get(0))) {
          gone.addAll(node.outputs());
        }
        result.add(node);
      } else {
        node.inputs().forEach(input -> recompute(input, gone, again, result));
        result.add(
            node.renamed(input -> gone.contains(input) ? input + AGAIN : input, output -> output));
      }
    }
    return result;
  }

  private void recompute(String value, Set<String> gone, Set<String> again, List<Node> result) {
    if (!gone.contains(value) || again.contains(value)) {
      return;
    }
    Node producer = producers.get(value);
    producer.inputs().forEach(input -> recompute(input, gone, again, result));
    producer
        .outputs()
        .forEach(
            output -> {
              shapes.alias(output + AGAIN, output);
              again.add(output);
              gone.add(output);
            });
    result.add(
        producer.renamed(
            input -> gone.contains(input) ? input + AGAIN : input, output -> output + AGAIN));
  }
}

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
final class CheckpointingPass {

  private static final String AGAIN = "#again";

  /** Logits of fewer bytes are rather kept: a product more costs time. */
  private static final long MOST_LOGITS = 32_000_000;

  /** Amounts of recomputation that are tried beside those that bisection finds. */
  private static final int SAMPLES = 8;

  private final List<Node> nodes;
  private final Set<String> forward;
  private final Shapes shapes;
  private final Map<String, Node> producers = new HashMap<>();

  /**
   * @param forward outputs of the forward pass
   */
  CheckpointingPass(List<Node> nodes, Set<String> forward, Shapes shapes) {
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
   * Applies a level.
   *
   * @param bytes live bytes of a list of nodes
   * @param checkpoint values that are kept where whole blocks are recomputed
   */
  List<Node> apply(
      ActivationCheckpointing level,
      ToLongFunction<List<Node>> bytes,
      Predicate<String> checkpoint) {
    if (forward.size() == nodes.size()) {
      return nodes;
    }
    return switch (level) {
      case NOTHING -> nodes;
      case ELEMENTWISE -> elementwise(bytes(logits()) > MOST_LOGITS ? logits() : Set.of(), bytes);
      case ATTENTION -> {
        List<Set<String>> units = new ArrayList<>(List.of(logits()));
        units.addAll(attention(bytes));
        yield elementwise(union(units), bytes);
      }
      case BLOCKS -> without(union(List.of(logits(), union(blocks(checkpoint)))));
    };
  }

  /**
   * Recomputes no more than needed for a budget: nothing, cheap ops, logits of a vocabulary, then
   * attention after attention and at last block after block, from the first of the model on, whose
   * activations would be kept the longest.
   *
   * @param bytes of a list of nodes
   * @param fits whether a list of nodes is within the budget
   * @return the nodes; those of the most recomputation if nothing fits
   */
  List<Node> fit(
      ToLongFunction<List<Node>> bytes, Predicate<List<Node>> fits, Predicate<String> checkpoint) {
    if (forward.size() == nodes.size() || fits.test(nodes)) {
      return nodes;
    }
    List<Set<String>> units = new ArrayList<>(List.of(logits()));
    units.addAll(attention(bytes));
    units.addAll(blocks(checkpoint));
    int tooFew = -1;
    int enough = units.size();
    List<Node> best = without(union(units));
    while (enough - tooFew > 1) {
      int some = (tooFew + enough) / 2;
      List<Node> candidate = elementwise(union(units.subList(0, some)), bytes);
      if (fits.test(candidate)) {
        enough = some;
        best = candidate;
      } else {
        tooFew = some;
      }
    }
    // More recomputation usually takes less memory, but not always: a few that do less may fit too.
    long least = enough < units.size() ? 0 : bytes.applyAsLong(best);
    for (int i = 0; i < SAMPLES; i++) {
      int some = units.size() * i / SAMPLES;
      if (some < enough) {
        List<Node> candidate = elementwise(union(units.subList(0, some)), bytes);
        if (fits.test(candidate)) {
          return candidate;
        }
        if (bytes.applyAsLong(candidate) < least) {
          least = bytes.applyAsLong(candidate);
          best = candidate;
        }
      }
    }
    return best;
  }

  private static Set<String> union(List<Set<String>> units) {
    Set<String> union = new LinkedHashSet<>();
    units.forEach(union::addAll);
    return union;
  }

  /** Drops what is given, and of the cheap ops' results what makes it less. */
  private List<Node> elementwise(Set<String> given, ToLongFunction<List<Node>> bytes) {
    Set<String> dropped = given;
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
   * Logits of a vocabulary in slices, with which the backward pass begins: they are computed again
   * slice by slice, so that one slice of them is live at once.
   */
  private Set<String> logits() {
    Set<String> logits = new LinkedHashSet<>();
    for (Node node : nodes) {
      if (node.op().opName().equals("fused_slice_sums")) {
        logits.add(node.inputs().get(0));
      }
    }
    return logits;
  }

  private long bytes(Set<String> values) {
    return values.stream().mapToLong(value -> shapes.of(value).bytes()).sum();
  }

  /**
   * All that is not a checkpoint, by what lies between two of them. What comes after the last is
   * kept: the backward pass begins with it.
   */
  private List<Set<String>> blocks(Predicate<String> checkpoint) {
    List<Set<String>> blocks = new ArrayList<>();
    Set<String> block = new LinkedHashSet<>();
    for (Node node : nodes) {
      for (String output : node.outputs()) {
        if (!producers.containsKey(output)) {
          continue;
        }
        if (checkpoint.test(output)) {
          blocks.add(block);
          block = new LinkedHashSet<>();
        } else {
          block.add(output);
        }
      }
    }
    return blocks;
  }

  /**
   * Attention weights and the scores they are made of, one by one; then joined streams with what is
   * frozen of them, unless the hidden states that these are made of take more.
   */
  private List<Set<String>> attention(ToLongFunction<List<Node>> bytes) {
    List<Set<String>> weights = new ArrayList<>();
    List<Set<String>> joined = new ArrayList<>();
    for (Node node : nodes) {
      if (!producers.containsKey(node.outputs().get(0))) {
        continue;
      }
      if (node.op().opName().equals("fused_softmax")) {
        String scores = node.inputs().get(0);
        while (producers.containsKey(scores) && AliasAnalysis.isView(producers.get(scores))) {
          scores = producers.get(scores).inputs().get(0); // a view's buffer is the product's
        }
        weights.add(Set.of(node.outputs().get(0), scores));
      } else if (node.op().opName().equals("fused_join_tokens")) {
        Set<String> dropped = new LinkedHashSet<>(node.outputs());
        dropToProducts(node.inputs().get(1), dropped);
        joined.add(dropped);
      }
    }
    List<Set<String>> both = new ArrayList<>(weights);
    both.addAll(joined);
    return bytes.applyAsLong(without(union(both))) < bytes.applyAsLong(without(union(weights)))
        ? both
        : weights;
  }

  /**
   * Drops a frozen value and what it is made of, back to the products of frozen hidden states,
   * which are kept: one for a layer, and one more for an adapter beside it.
   */
  private void dropToProducts(String value, Set<String> dropped) {
    Node producer = producers.get(value);
    if (producer == null) {
      return;
    }
    dropped.add(value);
    if (!MatmulGradients.isProduct(producer)) {
      long same = shapes.of(value).bytes();
      producer.inputs().stream()
          .filter(input -> shapes.of(input).bytes() == same) // neither bias nor angles
          .forEach(input -> dropToProducts(input, dropped));
    }
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

  /** Whether a node is the copy of one in the forward pass. */
  static boolean again(Node node) {
    return !node.outputs().isEmpty() && node.outputs().get(0).endsWith(AGAIN);
  }

  /** The nodes with copies in the backward pass of what makes {@code dropped}. */
  private List<Node> without(Set<String> dropped) {
    Set<String> gone = new HashSet<>(dropped);
    List<Node> result = new ArrayList<>();
    Set<String> again = new HashSet<>();
    for (Node node : nodes) {
      if (producers.containsKey(node.outputs().get(0))) {
        if (AliasAnalysis.isView(node) && gone.contains(node.inputs().get(0))) {
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

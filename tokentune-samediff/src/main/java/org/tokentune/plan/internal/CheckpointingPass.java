package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToLongFunction;
import org.tokentune.ops.internal.OpTraits;
import org.tokentune.ops.internal.Recomputation;
import org.tokentune.plan.ActivationCheckpointing;

/**
 * Inserts copies of forward ops before the backward ops that read their results, so the results
 * need not be stored in between.
 */
final class CheckpointingPass implements PlannerPass {

  private static final String RECOMPUTED = "#recomputed";

  /** Logits smaller than this are stored, because recomputing them costs an extra matmul. */
  private static final long MAX_LOGITS = 32_000_000;

  /** Amounts of recomputation tried in addition to those found by bisection. */
  private static final int SAMPLES = 8;

  private final Set<String> forward;
  private final Shapes shapes;
  private final PlanOptions options;
  private final ToLongFunction<List<Node>> liveBytes;
  private final ToLongFunction<List<Node>> arenaBytes;
  private final Map<String, Node> producers = new HashMap<>();
  private List<Node> nodes = List.of();

  /**
   * @param forward outputs of the forward pass
   * @param options the level or the budget, and the checkpoints
   * @param liveBytes computes the peak of the live bytes of a list of nodes
   * @param arenaBytes computes the bytes of the arena for a list of nodes
   */
  CheckpointingPass(
      Set<String> forward,
      Shapes shapes,
      PlanOptions options,
      ToLongFunction<List<Node>> liveBytes,
      ToLongFunction<List<Node>> arenaBytes) {
    this.forward = forward;
    this.shapes = shapes;
    this.options = options;
    this.liveBytes = liveBytes;
    this.arenaBytes = arenaBytes;
  }

  @Override
  public List<Node> apply(List<Node> all) {
    nodes = all;
    for (Node node : nodes) {
      if (forward.contains(node.outputs().get(0))) {
        node.outputs().forEach(output -> producers.put(output, node));
      }
    }
    if (forward.size() == nodes.size()) {
      return nodes;
    }
    return options.budget() == 0 ? atLevel(options.checkpointing()) : withinBudget();
  }

  private List<Node> atLevel(ActivationCheckpointing level) {
    return switch (level) {
      case NOTHING -> nodes;
      case ELEMENTWISE -> elementwise(bytes(logits()) > MAX_LOGITS ? logits() : Set.of());
      case ATTENTION -> {
        List<Set<String>> units = new ArrayList<>(List.of(logits()));
        units.addAll(attention());
        yield elementwise(union(units));
      }
      case BLOCKS -> recomputing(union(List.of(logits(), union(blocks()))));
    };
  }

  /**
   * Recomputes no more than a budget requires: nothing, cheap ops, vocabulary logits, then one
   * attention after another and finally one block after another, starting with the model's first,
   * whose activations would be stored longest.
   *
   * @return the nodes; those with maximal recomputation if nothing fits
   */
  private List<Node> withinBudget() {
    if (fits(nodes)) {
      return nodes;
    }
    List<Set<String>> units = new ArrayList<>(List.of(logits()));
    units.addAll(attention());
    units.addAll(blocks());
    int tooFew = -1;
    int enough = units.size();
    List<Node> best = recomputing(union(units));
    while (enough - tooFew > 1) {
      int some = (tooFew + enough) / 2;
      List<Node> candidate = elementwise(union(units.subList(0, some)));
      if (fits(candidate)) {
        enough = some;
        best = candidate;
      } else {
        tooFew = some;
      }
    }
    // More recomputation usually takes less memory, but not always: a few smaller amounts may also
    // fit.
    long least = enough < units.size() ? 0 : arenaBytes.applyAsLong(best);
    int samples = Math.min(SAMPLES, units.size());
    for (int i = 0; i < samples; i++) {
      int some = units.size() * i / samples;
      if (some < enough) {
        List<Node> candidate = elementwise(union(units.subList(0, some)));
        long bytes = arenaBytes.applyAsLong(candidate);
        if (bytes <= options.budget()) {
          return candidate;
        }
        if (bytes < least) {
          least = bytes;
          best = candidate;
        }
      }
    }
    return best;
  }

  private boolean fits(List<Node> candidate) {
    return arenaBytes.applyAsLong(candidate) <= options.budget();
  }

  private static Set<String> union(List<Set<String>> units) {
    Set<String> union = new LinkedHashSet<>();
    units.forEach(union::addAll);
    return union;
  }

  /** Drops the given values, and those results of cheap ops that reduce memory further. */
  private List<Node> elementwise(Set<String> given) {
    Set<String> dropped = given;
    List<Node> best = recomputing(dropped);
    long least = liveBytes.applyAsLong(best);
    for (List<String> alike : elementwise().values()) {
      Set<String> more = new LinkedHashSet<>(dropped);
      more.addAll(alike);
      List<Node> fewer = recomputing(more);
      long live = liveBytes.applyAsLong(fewer);
      if (live < least) {
        least = live;
        best = fewer;
        dropped = more;
      }
    }
    return best;
  }

  /**
   * Sliced vocabulary logits, with which the backward pass begins: they are recomputed slice by
   * slice, so only one slice is live at a time.
   */
  private Set<String> logits() {
    Set<String> logits = new LinkedHashSet<>();
    for (Node node : nodes) {
      if (recomputation(node) == Recomputation.SLICED_LOGITS) {
        String biased = node.inputs().get(0);
        logits.add(biased);
        Node producer = producers.get(biased);
        if (producer != null && recomputation(producer) == Recomputation.ELEMENTWISE) {
          logits.add(producer.inputs().get(0)); // the product that the bias is added to
        }
      }
    }
    return logits;
  }

  private long bytes(Set<String> values) {
    return values.stream().mapToLong(value -> shapes.of(value).bytes()).sum();
  }

  /**
   * All values that are not checkpoints, grouped by the segment between two checkpoints. Values
   * after the last checkpoint are stored, as the backward pass begins with them.
   */
  private List<Set<String>> blocks() {
    List<Set<String>> blocks = new ArrayList<>();
    Set<String> block = new LinkedHashSet<>();
    for (Node node : nodes) {
      for (String output : node.outputs()) {
        if (!producers.containsKey(output)) {
          continue;
        }
        if (options.checkpoint().test(output)) {
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
   * Attention weights with the scores they are computed from, one attention at a time; then joined
   * streams with their frozen part, unless the hidden states needed to recompute it take more.
   */
  private List<Set<String>> attention() {
    List<Set<String>> weights = new ArrayList<>();
    List<Set<String>> joined = new ArrayList<>();
    for (Node node : nodes) {
      if (!producers.containsKey(node.outputs().get(0))) {
        continue;
      }
      if (recomputation(node) == Recomputation.ATTENTION_WEIGHTS) {
        String scores = node.inputs().get(0);
        while (producers.containsKey(scores) && producers.get(scores).isView()) {
          scores = producers.get(scores).inputs().get(0); // a view's buffer is the matmul's
        }
        weights.add(Set.of(node.outputs().get(0), scores));
      } else if (recomputation(node) == Recomputation.JOINED_TOKENS) {
        Set<String> dropped = new LinkedHashSet<>(node.outputs());
        dropToMatmuls(node.inputs().get(1), dropped);
        joined.add(dropped);
      }
    }
    List<Set<String>> both = new ArrayList<>(weights);
    both.addAll(joined);
    return liveBytes.applyAsLong(recomputing(union(both)))
            < liveBytes.applyAsLong(recomputing(union(weights)))
        ? both
        : weights;
  }

  /**
   * Drops a frozen value and the values it is computed from, back to the matmuls of frozen hidden
   * states, which are stored: one for a layer, and one more if it has an adapter.
   */
  private void dropToMatmuls(String value, Set<String> dropped) {
    Node producer = producers.get(value);
    if (producer == null) {
      return;
    }
    dropped.add(value);
    if (!producer.isMatmul()) {
      long same = shapes.of(value).bytes();
      producer.inputs().stream()
          .filter(input -> shapes.of(input).bytes() == same) // excludes biases and rotation angles
          .forEach(input -> dropToMatmuls(input, dropped));
    }
  }

  /** Results of cheap ops by op name: all of one kind are stored or dropped together. */
  private Map<String, List<String>> elementwise() {
    Map<String, List<String>> groups = new LinkedHashMap<>();
    for (Node node : nodes) {
      String output = node.outputs().get(0);
      if (producers.containsKey(output) && recomputation(node) == Recomputation.ELEMENTWISE) {
        groups.computeIfAbsent(node.op().opName(), name -> new ArrayList<>()).add(output);
      }
    }
    return groups;
  }

  private static Recomputation recomputation(Node node) {
    return OpTraits.recomputation(node.op());
  }

  @Override
  public Optional<String> report(Layout layout) {
    return Optional.of(
        String.format(
            Locale.ROOT,
            "activation checkpointing: %d ops are recomputed; at most %,d bytes live instead of"
                + " %,d",
            layout.nodes().stream().filter(CheckpointingPass::isRecomputed).count(),
            layout.memory().liveBytes(),
            liveBytes.applyAsLong(nodes)));
  }

  /** Whether a node recomputes one from the forward pass. */
  static boolean isRecomputed(Node node) {
    return !node.outputs().isEmpty() && node.outputs().get(0).endsWith(RECOMPUTED);
  }

  /** The nodes, with copies in the backward pass of those that compute {@code dropped}. */
  private List<Node> recomputing(Set<String> dropped) {
    Set<String> unavailable = new HashSet<>(dropped);
    List<Node> result = new ArrayList<>();
    Set<String> copied = new HashSet<>();
    for (Node node : nodes) {
      if (producers.containsKey(node.outputs().get(0))) {
        if (node.isView() && unavailable.contains(node.inputs().get(0))) {
          unavailable.addAll(node.outputs());
        }
        result.add(node);
      } else {
        node.inputs().forEach(input -> recompute(input, unavailable, copied, result));
        result.add(
            node.renamed(
                input -> unavailable.contains(input) ? input + RECOMPUTED : input,
                output -> output));
      }
    }
    return result;
  }

  private void recompute(
      String value, Set<String> unavailable, Set<String> copied, List<Node> result) {
    if (!unavailable.contains(value) || copied.contains(value)) {
      return;
    }
    Node producer = producers.get(value);
    producer.inputs().forEach(input -> recompute(input, unavailable, copied, result));
    producer
        .outputs()
        .forEach(
            output -> {
              shapes.alias(output + RECOMPUTED, output);
              copied.add(output);
              unavailable.add(output);
            });
    result.add(
        producer.renamed(
            input -> unavailable.contains(input) ? input + RECOMPUTED : input,
            output -> output + RECOMPUTED));
  }
}

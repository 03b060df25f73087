package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.tokentune.ops.internal.OpTraits;

/**
 * Updates every variable as soon as its gradient is complete and the variable is no longer read, so
 * that the gradient's memory is freed immediately (as in LOMO: Lv et al., 2023).
 */
final class OptimizerInBackward implements PlannerPass {

  private final AliasAnalysis aliases;
  private final GradientSlices gradients;
  private final Shapes shapes;
  private final PlanOptions options;

  OptimizerInBackward(
      AliasAnalysis aliases, GradientSlices gradients, Shapes shapes, PlanOptions options) {
    this.aliases = aliases;
    this.gradients = gradients;
    this.shapes = shapes;
    this.options = options;
  }

  /** The nodes with an {@link OptimizerStepOp} for each variable, or for each slice of one. */
  @Override
  public List<Node> apply(List<Node> nodes) {
    if (!options.updates()) {
      return nodes;
    }
    // Outputs decide whether an optimizer step happens, so they are computed before the first one.
    List<String> decisive =
        options.outputs().stream().map(output -> aliases.of(output).buffer()).toList();
    Map<String, Integer> touched = new HashMap<>(); // last op by buffer in the arena
    Map<Long, List<Read>> reads = new HashMap<>(); // by memory outside the arena
    int decided = 0;
    for (int i = 0; i < nodes.size(); i++) {
      for (String input : nodes.get(i).inputs()) {
        AliasAnalysis.View view = aliases.of(input);
        touched.put(view.buffer(), i);
        if (shapes.held(view.buffer())) {
          reads
              .computeIfAbsent(shapes.memory(view.buffer()), key -> new ArrayList<>())
              .add(Read.of(i, view));
        }
      }
      for (String output : nodes.get(i).outputs()) {
        String buffer = aliases.of(output).buffer();
        touched.put(buffer, i);
        decided = decisive.contains(buffer) ? i : decided;
      }
    }
    int first = decided;
    Map<Integer, List<Node>> copies = new HashMap<>();
    Map<Integer, List<Node>> updates = new HashMap<>();
    Set<String> owned = new HashSet<>();
    gradients
        .slices()
        .forEach(
            (variable, slices) -> {
              long row = 0;
              long from = 0;
              for (String gradient : slices) {
                String buffer = aliases.of(gradient).buffer();
                int complete = touched.getOrDefault(buffer, 0);
                String own = gradient;
                if (!owned.add(buffer)
                    || shapes.held(buffer)
                    || shapes.of(buffer).known() != null) {
                  // An optimizer step may overwrite the gradient, and this memory is shared with
                  // another value.
                  own = gradient + "#own." + variable;
                  shapes.alias(own, gradient);
                  put(copies, complete, new Node(OpTraits.copy(), List.of(gradient), List.of(own)));
                }
                long to = from + shapes.of(gradient).elements();
                int free = last(reads.getOrDefault(shapes.memory(variable), List.of()), from, to);
                Node update =
                    new Node(new OptimizerStepOp(variable, row), List.of(own, variable), List.of());
                put(updates, Math.max(first, Math.max(complete, free)), update);
                long[] shape = shapes.of(gradient).shape();
                row += shape.length == 0 ? 1 : shape[0];
                from = to;
              }
            });
    List<Node> result = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      result.add(nodes.get(i));
      result.addAll(copies.getOrDefault(i, List.of()));
      result.addAll(updates.getOrDefault(i, List.of()));
    }
    return result;
  }

  @Override
  public Optional<String> report(Layout layout) {
    if (!options.updates()) {
      return Optional.of("optimizer in backward: off; all gradients are stored");
    }
    Set<String> results = new LinkedHashSet<>(options.outputs());
    results.addAll(gradients.names());
    MemoryPlanner stored =
        new MemoryPlanner(layout.nodes(), aliases, shapes, layout.placeholders(), results);
    return Optional.of(
        String.format(
            Locale.ROOT,
            "optimizer in backward: at most %,d bytes live instead of %,d",
            layout.memory().liveBytes(),
            stored.liveBytes()));
  }

  /** An op that reads elements of a variable. */
  private record Read(int op, long from, long to) {

    static Read of(int op, AliasAnalysis.View view) {
      long elements = Arrays.stream(view.shape()).reduce(1, (a, b) -> a * b);
      return view.dense()
          ? new Read(op, view.offset(), view.offset() + elements)
          : new Read(op, 0, Long.MAX_VALUE);
    }
  }

  private static int last(List<Read> reads, long from, long to) {
    return reads.stream()
        .filter(read -> read.from() < to && from < read.to())
        .mapToInt(Read::op)
        .max()
        .orElse(0);
  }

  private static void put(Map<Integer, List<Node>> lists, int index, Node node) {
    lists.computeIfAbsent(index, key -> new ArrayList<>()).add(node);
  }
}

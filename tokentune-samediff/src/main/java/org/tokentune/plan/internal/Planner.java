package org.tokentune.plan.internal;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.tokentune.plan.BudgetException;

/** Makes a plan: applies the passes in order, then lays out memory. */
final class Planner {

  private final OpSchedule schedule;
  private final Map<String, long[]> placeholders;
  private final PlanOptions options;
  private final Shapes shapes;
  private final Set<String> forwardValues;
  private final Set<String> wanted; // outputs and gradients

  Planner(OpSchedule schedule, Map<String, long[]> placeholders, PlanOptions options) {
    this.schedule = schedule;
    this.placeholders = placeholders;
    this.options = options;
    shapes = Shapes.of(schedule, placeholders);
    forwardValues = schedule.forwardValues();
    wanted = new LinkedHashSet<>(options.outputs());
    wanted.addAll(schedule.gradients().values());
  }

  Plan plan() {
    List<PlannerPass> passes =
        List.of(
            new MatmulGradients(wanted),
            new SelectedMatmuls(wanted, shapes),
            new CheckpointingPass(
                forwardValues, shapes, options, this::liveBytes, this::arenaBytes));
    Layout layout = layOut(PlannerPass.applyAll(passes, shapes.remaining()));
    layout.memory().place();
    long bytes = layout.memory().bytes();
    if (options.budget() > 0 && bytes > options.budget()) {
      throw new BudgetException(bytes, options.budget());
    }
    List<PlannerPass> all = Stream.of(passes, layout.passes()).flatMap(List::stream).toList();
    return new Plan(schedule, shapes, all, layout, options);
  }

  /** Peak of the live bytes of a list of ops. */
  private long liveBytes(List<Node> nodes) {
    return layOut(nodes).memory().liveBytes();
  }

  /** Bytes of the arena for a list of ops. */
  private long arenaBytes(List<Node> nodes) {
    MemoryPlanner memory = layOut(nodes).memory();
    memory.place();
    return memory.bytes();
  }

  private Layout layOut(List<Node> nodes) {
    GradientSlices gradients = new GradientSlices(schedule.gradients(), options.slices());
    AliasAnalysis aliases = new AliasAnalysis(shapes, gradients);
    GradientsAtHome home =
        new GradientsAtHome(schedule.gradients(), aliases, shapes, options.home());
    List<PlannerPass> passes =
        List.of(
            new QuantizedMatmuls(shapes),
            new DequantiseBeforeUse(shapes),
            new HalfPrecisionActivations(forwardValues, wanted, shapes, options.precision()),
            gradients,
            aliases,
            new OptimizerInBackward(aliases, gradients, shapes, options),
            home);
    List<Node> running = PlannerPass.applyAll(passes, nodes);
    Set<String> results = new LinkedHashSet<>(options.outputs());
    if (!options.updates()) {
      results.addAll(home.names().values());
    }
    Set<String> read = readPlaceholders(nodes);
    MemoryPlanner memory = new MemoryPlanner(running, aliases, shapes, read, results);
    if (options.home() != null) {
      memory.placeIn(options.home().memory().length(), home.offsets());
    }
    return new Layout(passes, gradients, home, aliases, running, memory, read, results);
  }

  private Set<String> readPlaceholders(List<Node> nodes) {
    Set<String> values = new HashSet<>(wanted);
    nodes.forEach(node -> values.addAll(node.inputs()));
    Set<String> read = new LinkedHashSet<>(placeholders.keySet());
    read.removeIf(name -> !values.contains(name) || !schedule.sd().hasVariable(name));
    return read;
  }
}

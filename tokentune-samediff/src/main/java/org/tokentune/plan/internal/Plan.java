package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.tokentune.plan.PlanMemory;

/**
 * A SameDiff graph as a static execution plan for given placeholder shapes: ops in order, every
 * value at a fixed offset in an arena. Planning needs no values; {@link #bind} provides memory.
 */
public final class Plan {

  private final OpSchedule schedule;
  private final Shapes shapes;
  private final List<PlannerPass> passes;
  private final Layout layout;
  private final PlanOptions options;

  /**
   * @param passes all passes, applied
   */
  Plan(
      OpSchedule schedule,
      Shapes shapes,
      List<PlannerPass> passes,
      Layout layout,
      PlanOptions options) {
    this.schedule = schedule;
    this.shapes = shapes;
    this.passes = passes;
    this.layout = layout;
    this.options = options;
  }

  /**
   * Plans a graph.
   *
   * @param placeholders shapes by name; other names are ignored
   */
  public static Plan of(SameDiff sd, Map<String, long[]> placeholders, PlanOptions options) {
    return of(OpSchedule.of(sd, options.outputs(), options.trained()), placeholders, options);
  }

  static Plan of(OpSchedule schedule, Map<String, long[]> placeholders, PlanOptions options) {
    return new Planner(schedule, placeholders, options).plan();
  }

  /** Bytes that a run uses in addition to the graph's own constants and variables. */
  public long bytes() {
    return layout.memory().bytes();
  }

  /** Number of ops in a step. */
  public int ops() {
    return layout.nodes().size();
  }

  /** Floating-point operations in a step's matmuls, two for each multiplication. */
  public long matmulFlops() {
    return Matmuls.flops(layout.nodes(), shapes);
  }

  /**
   * Work that a step repeats because its results were not stored: floating-point operations of
   * matmuls, and one per number that any other op recomputes.
   */
  public long recomputedWork() {
    return layout.nodes().stream()
        .filter(CheckpointingPass::isRecomputed)
        .mapToLong(
            node ->
                node.isMatmul()
                    ? Matmuls.flops(node, shapes)
                    : shapes.of(node.outputs().get(0)).elements())
        .sum();
  }

  /** The contents of the arena, op by op and at the peak. */
  public PlanMemory memory() {
    List<String> report = new ArrayList<>(List.of(schedule.report(), shapes.report()));
    passes.forEach(pass -> pass.report(layout).ifPresent(report::add));
    report.addAll(layout.memory().report());
    return ArenaContents.of(schedule, layout, report);
  }

  /**
   * Binds the plan to an arena, which grows if it is too small.
   *
   * @param optimizerStep updates the variables if the plan does so; otherwise unused
   * @return the bound plan, valid until the arena grows again
   */
  BoundPlan bind(Arena arena, OptimizerStep optimizerStep) {
    return new PlanBinder(schedule, shapes, layout, options, arena).bind(optimizerStep);
  }
}

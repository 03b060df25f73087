package org.tokentune.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.ops.Ops;

/**
 * Runs a SameDiff graph on execution plans, one for each set of placeholder shapes, all in one
 * arena. Not for several threads at once.
 */
public final class PlanEngine implements AutoCloseable {

  private final SameDiff sd;
  private final OpList list;
  private final List<String> outputs;
  private final Recompute recompute;
  private final Predicate<String> checkpoint;
  private final Arena arena = new Arena();
  private final Map<String, Plan> plans = new HashMap<>();
  private final Map<String, BoundPlan> bound = new HashMap<>();
  private int arenaVersion;

  /**
   * A run's results. All arrays are views of the arena: good until the next run.
   *
   * @param outputs by name
   * @param gradients by variable
   */
  public record Result(Map<String, INDArray> outputs, Map<String, INDArray> gradients) {}

  /**
   * Derives the gradient graph.
   *
   * @param outputs values to return
   * @param trained variables whose gradients to return; none for a forward pass only
   * @param checkpoint values that {@link Recompute#BLOCKS} keeps
   */
  public PlanEngine(
      SameDiff sd,
      List<String> outputs,
      List<String> trained,
      Recompute recompute,
      Predicate<String> checkpoint) {
    Ops.register();
    this.sd = sd;
    this.outputs = List.copyOf(outputs);
    this.recompute = recompute;
    this.checkpoint = checkpoint;
    list = OpList.of(sd, outputs, trained);
  }

  /** The plan for placeholders of these shapes. */
  public Plan plan(Map<String, long[]> shapes) {
    return plans.computeIfAbsent(
        key(shapes), key -> Plan.of(sd, list, shapes, outputs, recompute, checkpoint));
  }

  /** Runs once. */
  public Result run(Map<String, INDArray> placeholders) {
    BoundPlan plan = bound(placeholders);
    plan.run(placeholders);
    return new Result(plan.outputs(), plan.gradients());
  }

  private BoundPlan bound(Map<String, INDArray> placeholders) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    placeholders.forEach((name, array) -> shapes.put(name, array.shape()));
    String key = key(shapes);
    BoundPlan plan = bound.get(key);
    if (plan == null) {
      plan = plan(shapes).bind(arena);
      if (arena.version() != arenaVersion) {
        closeBound();
        arenaVersion = arena.version();
      }
      bound.put(key, plan);
    }
    return plan;
  }

  private static String key(Map<String, long[]> shapes) {
    List<String> parts = new ArrayList<>();
    shapes.forEach((name, shape) -> parts.add(name + java.util.Arrays.toString(shape)));
    parts.sort(null);
    return String.join(" ", parts);
  }

  private void closeBound() {
    bound.values().forEach(BoundPlan::close);
    bound.clear();
  }

  /** Bytes of the arena: the largest plan's, so far. */
  public long arenaBytes() {
    return arena.bytes();
  }

  @Override
  public void close() {
    closeBound();
    arena.close();
  }
}

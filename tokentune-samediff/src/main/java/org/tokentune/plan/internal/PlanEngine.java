package org.tokentune.plan.internal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.ops.Ops;
import org.tokentune.plan.ActivationCheckpointing;

/**
 * Runs a SameDiff graph on execution plans, one for each set of placeholder shapes, all in one
 * arena. Plans are cached up to a share of the heap; the least recently used are evicted first. Not
 * thread-safe.
 */
public final class PlanEngine implements AutoCloseable {

  private final OpSchedule schedule;
  private final PlanOptions options;
  private final OptimizerStep optimizerStep;
  private Arena arena = new Arena();
  private final Map<String, Plan> plans = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<String, BoundPlan> bound = new HashMap<>();
  private Plan largest;
  private int arenaVersion;
  private int made;
  private boolean closed;

  /** Approximate bytes per step of a plan: array headers, and ND4J's context off the heap. */
  private static final long STEP_BYTES = 4_000;

  /** Plans may take up to this fraction of the heap: 1 / SHARE. */
  private static final int SHARE = 16;

  private static final long MIN_CACHE_BYTES = 64_000_000;

  /**
   * A run's results. All arrays are views of the arena, valid until the next run.
   *
   * @param outputs by name
   * @param gradients by variable; empty if the plan updates the variables
   */
  public record Result(Map<String, INDArray> outputs, Map<String, INDArray> gradients) {}

  /** Derives the gradient graph. */
  public PlanEngine(SameDiff sd, PlanOptions options) {
    this(sd, options, null);
  }

  /** Derives the gradient graph; every run updates the trained variables. */
  public PlanEngine(SameDiff sd, PlanOptions options, OptimizerStep optimizerStep) {
    Ops.register();
    SlowBackend.warn();
    this.options =
        optimizerStep == null
            ? options
            : options.withOptimizerInBackward(!optimizerStep.wholeGradients());
    this.optimizerStep = optimizerStep;
    options.outputs().forEach(output -> checkOutput(sd, output));
    schedule = OpSchedule.of(sd, options.outputs(), options.trained());
  }

  private static void checkOutput(SameDiff sd, String output) {
    if (!sd.hasVariable(output)) {
      throw BadSettingsException.of(
          "outputs", "must be names of variables in the graph, got %s; correct it.", output);
    }
  }

  /**
   * Runs in another engine's arena from now on, as long as neither is closed. The results of both
   * are valid only until the next run of either.
   */
  public void shareArena(PlanEngine other) {
    closeBound();
    arena.close();
    arena = other.arena;
  }

  /** The plan for placeholders of these shapes. */
  public Plan plan(Map<String, INDArray> placeholders) {
    return planned(shapes(placeholders));
  }

  /** A plan for the same shapes with another checkpointing level; no run uses it. */
  public Plan plan(Map<String, INDArray> placeholders, ActivationCheckpointing level) {
    PlanOptions other = options.withCheckpointing(level, options.checkpoint());
    return Plan.of(schedule, shapes(placeholders), other);
  }

  private static Map<String, long[]> shapes(Map<String, INDArray> placeholders) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    placeholders.forEach((name, array) -> shapes.put(name, array.shape()));
    return shapes;
  }

  private Plan planned(Map<String, long[]> shapes) {
    if (closed) {
      throw new BadInputException("The model was closed and cannot run any more; open it again.");
    }
    String key = key(shapes);
    Plan plan = plans.get(key);
    if (plan == null) {
      plan = Plan.of(schedule, shapes, options);
      made++;
      plans.put(key, plan);
      if (largest == null || plan.bytes() > largest.bytes()) {
        largest = plan;
      }
      evict();
    }
    return plan;
  }

  /** Evicts plans, least recently used first, until the rest fit; the last one stays. */
  private void evict() {
    long limit = Math.max(MIN_CACHE_BYTES, Runtime.getRuntime().maxMemory() / SHARE);
    long held = plans.values().stream().mapToLong(Plan::ops).sum() * STEP_BYTES;
    Iterator<Map.Entry<String, Plan>> oldest = plans.entrySet().iterator();
    while (held > limit && plans.size() > 1) {
      Map.Entry<String, Plan> evicted = oldest.next();
      held -= evicted.getValue().ops() * STEP_BYTES;
      oldest.remove();
      BoundPlan unbound = bound.remove(evicted.getKey());
      if (unbound != null) {
        unbound.close();
      }
    }
  }

  /** Runs once. */
  public Result run(Map<String, INDArray> placeholders) {
    BoundPlan plan = bound(placeholders);
    plan.run(placeholders);
    return new Result(plan.outputs(), plan.gradients());
  }

  /**
   * Runs only a step's matmuls, back to back, on meaningless numbers: a lower bound for the time of
   * a step.
   *
   * @param placeholders as for a previous run; they are overwritten and must be set again
   *     afterwards
   * @return nanoseconds
   */
  public long runMatmuls(Map<String, INDArray> placeholders) {
    BoundPlan plan = bound(placeholders);
    arena.fill(1); // otherwise repeated matmuls might produce denormal numbers, which are slow
    long start = System.nanoTime();
    plan.runMatmuls();
    return System.nanoTime() - start;
  }

  private BoundPlan bound(Map<String, INDArray> placeholders) {
    Map<String, long[]> shapes = shapes(placeholders);
    String key = key(shapes);
    closeOutdated(); // another engine may have grown the arena
    Plan planned = planned(shapes); // even if it is bound: marks it as recently used
    BoundPlan plan = bound.get(key);
    if (plan == null) {
      plan = planned.bind(arena, optimizerStep);
      closeOutdated();
      bound.put(key, plan);
    }
    return plan;
  }

  private void closeOutdated() {
    if (arena.version() != arenaVersion) {
      closeBound();
      arenaVersion = arena.version();
    }
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

  /** The largest plan so far; empty before the first. */
  public Optional<Plan> largest() {
    return Optional.ofNullable(largest);
  }

  /** Plans made so far, each of which takes as long as several steps. */
  public int plansMade() {
    return made;
  }

  /** Bytes of the arena: those of the largest plan so far. */
  public long arenaBytes() {
    return arena.bytes();
  }

  @Override
  public void close() {
    closed = true;
    closeBound();
    arena.close();
  }
}

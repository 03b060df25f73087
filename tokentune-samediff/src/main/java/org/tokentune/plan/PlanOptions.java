package org.tokentune.plan;

import java.util.List;
import java.util.function.Predicate;

/**
 * What a plan is to do.
 *
 * @param outputs values to return
 * @param trained variables whose gradients are wanted; none for a forward pass only
 * @param updates whether every variable is updated when its gradient is complete; otherwise the
 *     gradients are returned
 * @param recompute what is computed again instead of being kept
 * @param checkpoint values that {@link Recompute#BLOCKS} keeps
 */
public record PlanOptions(
    List<String> outputs,
    List<String> trained,
    boolean updates,
    Recompute recompute,
    Predicate<String> checkpoint) {

  public PlanOptions {
    outputs = List.copyOf(outputs);
    trained = List.copyOf(trained);
  }

  /** A forward pass only. */
  public static PlanOptions forward(List<String> outputs) {
    return new PlanOptions(outputs, List.of(), false, Recompute.NOTHING, name -> false);
  }

  /** Outputs and gradients, and nothing computed again. */
  public static PlanOptions gradients(List<String> outputs, List<String> trained) {
    return new PlanOptions(outputs, trained, false, Recompute.NOTHING, name -> false);
  }

  /** The same, recomputing what a level says. */
  public PlanOptions withRecompute(Recompute level, Predicate<String> kept) {
    return new PlanOptions(outputs, trained, updates, level, kept);
  }

  /** The same, with updates instead of returned gradients. */
  public PlanOptions withUpdates() {
    return new PlanOptions(outputs, trained, true, recompute, checkpoint);
  }
}

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
 * @param slices whether an update may be of some rows only, where the gradient comes by them
 * @param checkpointing what is computed again instead of being kept
 * @param checkpoint values that are kept where whole blocks are recomputed
 * @param precision how activations are kept
 * @param budget bytes that a plan may take: it recomputes no more than it has to for that, whatever
 *     {@code checkpointing} says; 0: no budget
 */
public record PlanOptions(
    List<String> outputs,
    List<String> trained,
    boolean updates,
    boolean slices,
    ActivationCheckpointing checkpointing,
    Predicate<String> checkpoint,
    ActivationPrecision precision,
    long budget) {

  public PlanOptions {
    outputs = List.copyOf(outputs);
    trained = List.copyOf(trained);
  }

  /** A forward pass only. */
  public static PlanOptions forward(List<String> outputs) {
    return new PlanOptions(
        outputs,
        List.of(),
        false,
        false,
        ActivationCheckpointing.NOTHING,
        name -> false,
        ActivationPrecision.FLOAT32,
        0);
  }

  /** Outputs and gradients, and nothing computed again. */
  public static PlanOptions gradients(List<String> outputs, List<String> trained) {
    return new PlanOptions(
        outputs,
        trained,
        false,
        false,
        ActivationCheckpointing.NOTHING,
        name -> false,
        ActivationPrecision.FLOAT32,
        0);
  }

  /** The same, recomputing what a level says. */
  public PlanOptions withCheckpointing(ActivationCheckpointing level, Predicate<String> kept) {
    return new PlanOptions(outputs, trained, updates, slices, level, kept, precision, 0);
  }

  /**
   * The same, with updates instead of returned gradients.
   *
   * @param bySlices whether an update may be of some rows only
   */
  public PlanOptions withOptimizerInBackward(boolean bySlices) {
    return new PlanOptions(
        outputs, trained, true, bySlices, checkpointing, checkpoint, precision, budget);
  }

  /** The same, keeping activations in another way. */
  public PlanOptions withPrecision(ActivationPrecision other) {
    return new PlanOptions(
        outputs, trained, updates, slices, checkpointing, checkpoint, other, budget);
  }

  /** The same, recomputing what it takes to stay within so many bytes. */
  public PlanOptions within(long bytes, Predicate<String> kept) {
    return new PlanOptions(
        outputs, trained, updates, slices, checkpointing, kept, precision, bytes);
  }
}

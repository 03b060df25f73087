package org.tokentune.plan.internal;

import java.util.List;
import java.util.function.Predicate;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;

/**
 * Options for planning a graph.
 *
 * @param outputs values to return
 * @param trained variables to compute gradients for; empty for a forward pass only
 * @param updates whether every variable is updated as soon as its gradient is complete (optimizer
 *     in backward); otherwise the gradients are returned
 * @param slices whether an optimizer step may cover only some rows, if the gradient is computed in
 *     row slices
 * @param checkpointing what is recomputed instead of being stored
 * @param checkpoint values that are stored when whole blocks are recomputed
 * @param precision the precision of stored activations
 * @param budget bytes that a plan may take: it recomputes no more than that requires, regardless of
 *     {@code checkpointing}; 0: no budget
 * @param home where the gradients are returned; null: in the arena
 */
public record PlanOptions(
    List<String> outputs,
    List<String> trained,
    boolean updates,
    boolean slices,
    ActivationCheckpointing checkpointing,
    Predicate<String> checkpoint,
    ActivationPrecision precision,
    long budget,
    GradientHome home) {

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
        0,
        null);
  }

  /** Outputs and gradients without recomputation. */
  public static PlanOptions gradients(List<String> outputs, List<String> trained) {
    return new PlanOptions(
        outputs,
        trained,
        false,
        false,
        ActivationCheckpointing.NOTHING,
        name -> false,
        ActivationPrecision.FLOAT32,
        0,
        null);
  }

  /** The same with an activation checkpointing level. */
  public PlanOptions withCheckpointing(ActivationCheckpointing level, Predicate<String> kept) {
    return new PlanOptions(outputs, trained, updates, slices, level, kept, precision, 0, home);
  }

  /**
   * The same with the optimizer in backward instead of returned gradients.
   *
   * @param bySlices whether an optimizer step may cover only some rows
   */
  public PlanOptions withOptimizerInBackward(boolean bySlices) {
    return new PlanOptions(
        outputs, trained, true, bySlices, checkpointing, checkpoint, precision, budget, home);
  }

  /** The same with another precision of stored activations. */
  public PlanOptions withPrecision(ActivationPrecision other) {
    return new PlanOptions(
        outputs, trained, updates, slices, checkpointing, checkpoint, other, budget, home);
  }

  /** The same, with as much recomputation as needed to fit this many bytes. */
  public PlanOptions within(long bytes, Predicate<String> kept) {
    return new PlanOptions(
        outputs, trained, updates, slices, checkpointing, kept, precision, bytes, home);
  }

  /**
   * The same with gradients in memory of the caller's, which the rest of a plan uses as well until
   * they are complete.
   */
  public PlanOptions withGradientsIn(GradientHome memory) {
    return new PlanOptions(
        outputs, trained, updates, slices, checkpointing, checkpoint, precision, budget, memory);
  }
}

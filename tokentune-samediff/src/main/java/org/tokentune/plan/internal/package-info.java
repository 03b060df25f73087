/**
 * Compiles a SameDiff graph into a static execution plan: ops in order, every array at a fixed
 * offset in one arena, with the peak known to the byte before it runs.
 *
 * <p>{@link OpSchedule} extracts the needed ops from SameDiff's gradient function, and {@link
 * Shapes} infers shapes and folds values that depend only on shapes. {@link Planner} then applies
 * the passes in order ({@link PlannerPass}): {@link MatmulGradients} splits the gradients of
 * matmuls, {@link SelectedMatmuls} restricts attention gradients to selected tokens, {@link
 * CheckpointingPass} recomputes activations in the backward pass, {@link DequantiseBeforeUse} moves
 * the dequantisation of weights to the ops that read them, {@link HalfPrecisionActivations} stores
 * activations in 16 bits, {@link GradientSlices} splits gradients that are joined from slices,
 * {@link AliasAnalysis} turns reshapes and permutations into views, {@link OptimizerInBackward}
 * updates variables as soon as their gradients are complete. {@link MemoryPlanner} assigns every
 * buffer a lifetime and an offset, and {@link PlanBinder} makes a {@link BoundPlan}, which runs.
 * {@link PlanCheck} detects faulty plans while they run, with {@code
 * -Dorg.tokentune.plan.check=true}.
 *
 * <p>Knows SameDiff and the kernels of {@code ops}, not transformers. Imports {@code ops} and
 * {@code quantization}; {@code generate} and {@code train} import it.
 */
package org.tokentune.plan.internal;

/**
 * Compiles a SameDiff graph into a static execution plan: ops in order, every array at a fixed
 * offset in one arena, with the peak known to the byte before it runs.
 *
 * <p>{@link org.tokentune.plan.OpSchedule} extracts the needed ops from SameDiff's gradient
 * function, and {@link org.tokentune.plan.Shapes} infers shapes and folds values that depend only
 * on shapes. {@link org.tokentune.plan.Planner} then applies the passes in order ({@link
 * org.tokentune.plan.PlannerPass}): {@link org.tokentune.plan.MatmulGradients} splits the gradients
 * of matmuls, {@link org.tokentune.plan.SelectedMatmuls} restricts attention gradients to selected
 * tokens, {@link org.tokentune.plan.CheckpointingPass} recomputes activations in the backward pass,
 * {@link org.tokentune.plan.DequantiseBeforeUse} moves the dequantisation of weights to the ops
 * that read them, {@link org.tokentune.plan.HalfPrecisionActivations} stores activations in 16
 * bits, {@link org.tokentune.plan.GradientSlices} splits gradients that are joined from slices,
 * {@link org.tokentune.plan.AliasAnalysis} turns reshapes and permutations into views, {@link
 * org.tokentune.plan.OptimizerInBackward} updates variables as soon as their gradients are
 * complete. {@link org.tokentune.plan.MemoryPlanner} assigns every buffer a lifetime and an offset,
 * and {@link org.tokentune.plan.PlanBinder} makes a {@link org.tokentune.plan.BoundPlan}, which
 * runs. {@link org.tokentune.plan.PlanCheck} detects faulty plans while they run, with {@code
 * -Dorg.tokentune.plan.check=true}.
 *
 * <p>Knows SameDiff and the kernels of {@code ops}, not transformers. Imports {@code ops} and
 * {@code quantization}; {@code generate} and {@code train} import it.
 */
package org.tokentune.plan;

/**
 * A SameDiff graph compiled into a static execution plan: ops in order, every array at a fixed
 * place of one arena, its peak known to the byte before it runs.
 *
 * <p>The way of a graph: {@link org.tokentune.plan.OpSchedule} takes the needed ops out of
 * SameDiff's gradient function, {@link org.tokentune.plan.Shapes} infers shapes and folds what
 * depends on shapes alone, {@link org.tokentune.plan.MatmulGradients} splits the gradients of
 * matrix products, {@link org.tokentune.plan.SelectedMatmuls} computes those of attention for
 * selected tokens only, {@link org.tokentune.plan.CheckpointingPass} computes again in the backward
 * pass what is not worth keeping, {@link org.tokentune.plan.AliasAnalysis} makes views of reshapes
 * and permutations, {@link org.tokentune.plan.OptimizerInBackward} updates variables as soon as
 * their gradients are complete, {@link org.tokentune.plan.MemoryPlanner} gives every buffer its
 * lifetime and its offset, and {@link org.tokentune.plan.Plan} runs it. {@link
 * org.tokentune.plan.PlanCheck} looks for broken plans while they run, where {@code
 * -Dorg.tokentune.plan.check=true}.
 *
 * <p>Knows SameDiff and the kernels of {@code ops}, not transformers. Imports {@code ops} and
 * {@code quantization}; {@code generate} and {@code train} import it.
 */
package org.tokentune.plan;

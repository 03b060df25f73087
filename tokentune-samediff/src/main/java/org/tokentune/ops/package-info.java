/**
 * SameDiff ops, each a class that holds everything about one op: its meaning, its gradient and its
 * native form.
 *
 * <p>The native form consists of ND4J's own native ops, so it runs on every backend (CUDA too) and
 * under stock {@code SameDiff.fit}. Most ops here are short compositions that SameDiff
 * differentiates by itself. Ops whose native gradient is wrong or missing ({@link
 * org.tokentune.ops.TokenGather}) are SameDiff ops of their own with their own {@code doDiff}, made
 * known to SameDiff by {@link org.tokentune.ops.Ops#register()}.
 *
 * <p>Most ops have a second, fused form ({@link org.tokentune.ops.KernelMode}): one SameDiff node
 * and one gradient node, each a {@link org.tokentune.ops.FusedOp} with a CPU kernel in plain Java,
 * which an execution plan runs. Kernels compute in a thread's own arrays, in short loops that the
 * compiler vectorises. Tests hold them equal to the native form in double precision.
 *
 * <p>Weights that do not train may be held in few bits ({@link org.tokentune.ops.QuantizedWeight}):
 * an op makes floats of them where they are used.
 *
 * <p>Imports {@code quantization}; {@code nn}, {@code models}, {@code plan} and {@code train}
 * import it.
 */
package org.tokentune.ops;

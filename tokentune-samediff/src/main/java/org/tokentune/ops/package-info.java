/**
 * SameDiff ops. Each class defines one op: its meaning, its gradient and its native form.
 *
 * <p>The native form consists of ND4J's own native ops, so it runs on every backend (including
 * CUDA) and under stock {@code SameDiff.fit}. Most ops here are short compositions that SameDiff
 * differentiates by itself. Ops whose native gradient is wrong or missing ({@link
 * org.tokentune.ops.TokenGather}) are separate SameDiff ops with their own {@code doDiff},
 * registered with SameDiff by {@link org.tokentune.ops.Ops#register()}.
 *
 * <p>Most ops have a second, fused form ({@link org.tokentune.ops.KernelMode}): one SameDiff node
 * and one gradient node, each with a CPU kernel in plain Java, which an execution plan runs: the
 * package {@code ops.internal}. Tests compare them with the native form in double precision.
 *
 * <p>Frozen weights may be quantised ({@link org.tokentune.ops.QuantizedWeight}): an op dequantises
 * them where they are used.
 *
 * <p>Imports {@code quantization}; {@code nn}, {@code models}, {@code plan} and {@code train}
 * import it.
 */
package org.tokentune.ops;

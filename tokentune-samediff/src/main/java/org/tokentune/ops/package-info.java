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
 * <p>In the fused style ({@link org.tokentune.ops.Style}) an op is one node ({@link
 * org.tokentune.ops.FusedOp}) with one backward node, each a CPU kernel in plain Java that only an
 * execution plan runs; the native form says what it must compute.
 *
 * <p>Imports nothing else of this project; {@code nn}, {@code models}, {@code plan} and {@code
 * train} import it.
 */
package org.tokentune.ops;

/**
 * Internal: SameDiff ops with a kernel in Java, the fused forms of the ops in {@code ops}. They are
 * public because SameDiff creates ops by reflection, and may change in any version: build graphs
 * with {@code ops} instead.
 *
 * <p>Each {@link org.tokentune.ops.internal.FusedOp} is one node; its gradient is another one,
 * which {@code doDiff} creates. Its kernel consists of loops in {@code ops.internal.kernels}.
 */
package org.tokentune.ops.internal;

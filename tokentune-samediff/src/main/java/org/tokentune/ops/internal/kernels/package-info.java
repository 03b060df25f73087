/**
 * Internal: the loops of the CPU kernels, and what they share: rows and chunks, threads, per-thread
 * arrays and access to the memory of arrays. Knows arrays, not SameDiff. May change in any version.
 *
 * <p>Kernels compute in per-thread arrays, in short static loops that the compiler vectorises.
 */
package org.tokentune.ops.internal.kernels;

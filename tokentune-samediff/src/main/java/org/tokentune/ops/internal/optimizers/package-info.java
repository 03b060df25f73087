/**
 * Internal: the arithmetic of the optimizer steps and of gradient clipping, in both kernel modes.
 * May change in any version: {@code train} has the optimizers.
 */
package org.tokentune.ops.internal.optimizers;

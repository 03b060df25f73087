/**
 * Fine-tuning: the engine that computes gradients, the optimizer, the schedule and the loop.
 *
 * <p>Imports {@code adapters}, {@code generate}, {@code models}, {@code nn}, {@code ops}, {@code
 * plan}, {@code select} and {@code checkpoint}; the other modules import it.
 */
package org.tokentune.train;

/**
 * Fine-tuning: the engine that computes gradients, the optimizer, the schedule and the loop.
 *
 * <p>Imports {@code models}, {@code adapters}, {@code nn}, {@code ops}, {@code plan}, {@code
 * select} and {@code checkpoint}; the other modules import it.
 */
package org.tokentune.train;

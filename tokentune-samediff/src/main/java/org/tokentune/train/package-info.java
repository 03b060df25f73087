/**
 * Fine-tuning: the engine that computes gradients, the optimizer, the schedule and the loop ({@link
 * org.tokentune.train.Trainer}), which resumes from checkpoints of {@link
 * org.tokentune.train.TrainedState} and {@link org.tokentune.train.Progress}.
 *
 * <p>An {@link org.tokentune.train.ParameterOptimizer} keeps the state of all parameters; an {@code
 * UpdateRule} updates one of them, with its arithmetic in {@code ops}. A further optimizer is
 * another rule, and a constant in {@link org.tokentune.train.OptimizerSettings.Kind}.
 *
 * <p>Imports {@code models}, {@code nn}, {@code objectives}, {@code ops}, {@code plan}, {@code
 * select} and {@code files}; the other modules import it.
 */
package org.tokentune.train;

/**
 * Training objectives: an {@link org.tokentune.objectives.Objective} for each task, with its
 * labels, loss and scores, and the names of its head in Hugging Face and PEFT.
 *
 * <p>Imports {@code nn}, {@code ops} and {@code select}.
 */
package org.tokentune.objectives;

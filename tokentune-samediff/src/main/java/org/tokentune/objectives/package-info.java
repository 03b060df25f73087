/**
 * What a model's head is trained for: an {@link org.tokentune.objectives.Objective} for each task,
 * with the labels it takes, its loss, its scores, and the names that Hugging Face and PEFT give its
 * head.
 *
 * <p>Imports {@code nn}, {@code ops} and {@code select}.
 */
package org.tokentune.objectives;

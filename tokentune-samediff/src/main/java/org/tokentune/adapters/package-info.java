/**
 * Adapters: low-rank updates beside frozen linear layers, in the same graph and on the same plan as
 * the model. An {@link org.tokentune.adapters.LoraModel} is a model like any other, whose further
 * parameters are the adapters' matrices, so that whatever trains, plans or scores models does so
 * with adapters too. PEFT's files are read and written by {@link
 * org.tokentune.adapters.AdapterFolder}.
 *
 * <p>Imports {@code nn}, where linear layers ask a {@link org.tokentune.nn.LinearAdapter}, {@code
 * models}, {@code ops} and {@code checkpoint}; {@code train} and the other modules import it.
 */
package org.tokentune.adapters;

/**
 * Adapters: low-rank updates of frozen linear layers, in the same graph and plan as the model. An
 * {@link org.tokentune.adapters.LoraModel} is a model like any other, with the adapters' matrices
 * as additional parameters, so that training, planning and scoring work unchanged. Files in PEFT's
 * format are read and written by {@link org.tokentune.adapters.AdapterFolder}.
 *
 * <p>Imports {@code nn}, whose linear layers call a {@link
 * org.tokentune.nn.internal.LinearAdapter}, {@code models}, {@code ops} and {@code formats}; {@code
 * train} and the other modules import it.
 */
package org.tokentune.adapters;

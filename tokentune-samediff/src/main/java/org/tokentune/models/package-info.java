/**
 * Models: for each family a configuration record and a {@link
 * org.tokentune.models.TransformerModel}, which names the parameters and builds SameDiff graphs.
 * What families do alike, placeholders, hidden states and losses, stands in {@link
 * org.tokentune.models.ModelBuilder}.
 *
 * <p>Imports {@code nn}, {@code ops}, {@code formats} and {@code quantization}; {@code adapters},
 * {@code train} and the other modules import it.
 */
package org.tokentune.models;

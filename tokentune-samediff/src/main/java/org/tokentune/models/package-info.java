/**
 * Models: for each family a configuration record and a {@link
 * org.tokentune.models.TransformerModel}, which names the parameters and builds SameDiff graphs.
 * Everything that families have in common, such as placeholders, hidden states and losses, is in
 * {@link org.tokentune.models.ModelBuilder}.
 *
 * <p>Imports {@code nn}, {@code ops}, {@code formats} and {@code quantization}; {@code adapters},
 * {@code train} and the other modules import it.
 */
package org.tokentune.models;

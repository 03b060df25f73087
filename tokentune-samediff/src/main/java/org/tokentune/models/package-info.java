/**
 * Models: one {@link org.tokentune.models.Decoder} and one {@link org.tokentune.models.Encoder},
 * whose configurations say everything in which families differ; and a class for each family, which
 * reads the configuration from its files and names its parameters. Placeholders, hidden states and
 * losses, which both have in common, are in {@link org.tokentune.models.ModelBuilder}.
 *
 * <p>Imports {@code nn}, {@code ops}, {@code formats} and {@code quantization}; {@code adapters},
 * {@code train} and the other modules import it.
 */
package org.tokentune.models;

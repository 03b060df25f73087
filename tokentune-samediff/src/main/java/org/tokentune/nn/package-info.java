/**
 * Transformer layers written as SameDiff sub-graphs over two token streams, a layer a file.
 *
 * <p>A {@link org.tokentune.nn.TokenStreams} carries the selected tokens, through which gradients
 * flow, and the frozen ones, which run forward only. Every layer is applied to each stream with the
 * same numbers; only the selected stream uses trainable SameDiff variables, the frozen stream uses
 * constants over the same arrays ({@link org.tokentune.nn.Graph}).
 *
 * <p>Imports {@code ops}; {@code models} and {@code adapters} import it.
 */
package org.tokentune.nn;

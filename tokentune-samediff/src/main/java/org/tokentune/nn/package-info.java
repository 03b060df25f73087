/**
 * Transformer layers as SameDiff subgraphs over two token streams, one layer per file.
 *
 * <p>A {@link org.tokentune.nn.TokenStreams} carries the selected tokens, through which gradients
 * flow, and the frozen ones, which run forward only, so their activations need not be stored. Every
 * layer is applied to both streams with the same weights: the selected stream uses trainable
 * SameDiff variables, the frozen stream constants that share the same arrays ({@link
 * org.tokentune.nn.Graph}).
 *
 * <p>Imports {@code ops}; {@code models} and {@code adapters} import it.
 */
package org.tokentune.nn;

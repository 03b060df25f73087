/**
 * The parameters of a model, and its transformer layers as SameDiff subgraphs over two token
 * streams, one layer per file ({@link org.tokentune.nn.internal}).
 *
 * <p>A {@link org.tokentune.nn.internal.TokenStreams} carries the selected tokens, which have
 * gradients, and the frozen tokens, which run forward only, so their activations need not be
 * stored. Every layer is applied to both streams with the same weights: the selected stream uses
 * trainable SameDiff variables, the frozen stream constants that share the same arrays ({@link
 * org.tokentune.nn.internal.Graph}).
 *
 * <p>Imports {@code ops}; {@code models}, {@code adapters} and others import it.
 */
package org.tokentune.nn;

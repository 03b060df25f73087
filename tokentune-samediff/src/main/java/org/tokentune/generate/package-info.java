/**
 * Generation of text by decoders, token by token.
 *
 * <p>A {@link org.tokentune.generate.Generator} draws tokens from the logits of a decoding graph,
 * which is the model's own ({@link org.tokentune.models.GraphOptions#decoding}) beside a cache of
 * keys and values ({@link org.tokentune.nn.KeyValueCache}). There is no attention kernel and no
 * matrix-vector kernel for it: the plan's ordinary products and softmax run over the cache's first
 * rows, as many as the text rounded up to a power of two, so that a text of n tokens takes about
 * log2(n) plans. Of a token's time at 100 million parameters the products with the weights take
 * most, and ND4J reads them in a product with one row faster than a loop in Java does.
 *
 * <p>Imports {@code models}, {@code nn}, {@code ops} and {@code plan}; {@code train} and the other
 * modules import it.
 */
package org.tokentune.generate;

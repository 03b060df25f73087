/**
 * Generation of text by decoders, token by token.
 *
 * <p>A {@link org.tokentune.generate.Generator} samples tokens from the logits of a decoding graph,
 * which is the model's own graph ({@link org.tokentune.models.GraphOptions#decoding}) with a
 * key/value cache ({@link org.tokentune.nn.internal.KeyValueCache}). There is no special attention
 * or matrix-vector kernel: the plan's ordinary matmuls and softmax run over the first rows of the
 * cache, the text's length rounded up to a power of two, so a text of n tokens takes about log2(n)
 * plans. At 100 million parameters, most of a token's time is spent in matmuls with the weights,
 * and ND4J's matmul with a single row reads them faster than a loop in Java.
 *
 * <p>Imports {@code models}, {@code nn}, {@code ops} and {@code plan}; {@code train} and the other
 * modules import it.
 */
package org.tokentune.generate;

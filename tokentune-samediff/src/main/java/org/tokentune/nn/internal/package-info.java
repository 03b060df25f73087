/**
 * Transformer layers over two token streams, from embeddings to blocks. Internal: model families in
 * {@code models} are built from them.
 */
package org.tokentune.nn.internal;

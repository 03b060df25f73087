/**
 * Reading and writing weights, with the configuration and the vocabulary where a file has them,
 * too. Whatever the format, the model comes out as Hugging Face would have it: names, shapes, order
 * of rows, {@code config.json}. Files are untrusted: every size and offset is checked before
 * anything is allocated.
 *
 * <p>What is written is seen whole or not at all ({@link org.tokentune.checkpoint.Staging}):
 * models, and the checkpoints of a training in its {@link org.tokentune.checkpoint.RunFolder}.
 *
 * <p>Imports {@code ops} and {@code quantization}, for weights in few bits; {@code models}, {@code
 * train} and the other modules import it.
 */
package org.tokentune.checkpoint;

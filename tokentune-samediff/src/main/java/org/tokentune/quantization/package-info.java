/**
 * Numbers in few bits, as bytes and Java arrays: half precision, GGUF's block formats, NF4 and the
 * dynamic map of 8 bits.
 *
 * <p>Imports nothing else of this project; {@code ops}, {@code checkpoint}, {@code models} and
 * {@code plan} import it.
 */
package org.tokentune.quantization;

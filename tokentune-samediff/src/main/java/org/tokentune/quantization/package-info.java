/**
 * Low-precision number formats as bytes and Java arrays: half precision, GGUF's block formats, NF4
 * and the 8-bit dynamic map.
 *
 * <p>Imports nothing else from this project; {@code ops}, {@code formats}, {@code models} and
 * {@code plan} import it.
 */
package org.tokentune.quantization;

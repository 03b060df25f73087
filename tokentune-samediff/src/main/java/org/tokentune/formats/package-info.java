/**
 * Reads and writes weights, with the configuration and vocabulary if a file includes them. Whatever
 * the format, the result follows Hugging Face's conventions: names, shapes, order of rows, {@code
 * config.json}. Files are untrusted: every size and offset is checked before anything is allocated.
 *
 * <p>Imports {@code ops} and {@code quantization}, for quantised weights; {@code models}, {@code
 * train} and the other modules import it.
 */
package org.tokentune.formats;

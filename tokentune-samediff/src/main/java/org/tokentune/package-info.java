/**
 * TokenTune for SameDiff. The root package holds only classes that every package may import: {@link
 * org.tokentune.BadInputException}.
 *
 * <p>Imports run one way: {@code train} to {@code generate}, {@code models}, {@code plan}, {@code
 * select} and {@code checkpoint}; {@code generate} to {@code models} and {@code plan}; {@code
 * models} to {@code nn} and {@code checkpoint}; {@code nn} to {@code ops} and {@code select};
 * {@code plan} to {@code ops}; {@code ops} and {@code checkpoint} to {@code quantization}; {@code
 * checkpoint} to {@code ops}, for weights that stay in their file format.
 */
package org.tokentune;

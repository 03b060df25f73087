/**
 * Which tokens carry gradient (TokenTune: Simoulin et al., EMNLP 2024, token selection).
 *
 * <p>Works on plain integers, not ND4J arrays. Imports nothing from this project except {@link
 * org.tokentune.BadInputException}; {@code train} imports it.
 */
package org.tokentune.select;

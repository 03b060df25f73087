/**
 * Which tokens carry gradient (TokenTune: Simoulin et al., EMNLP 2024, token selection).
 *
 * <p>Plain integers, no arrays of ND4J. Imports nothing else of this project but {@link
 * org.tokentune.BadInputException}; {@code train} imports it.
 */
package org.tokentune.select;

/**
 * Reading and writing weights. Files are untrusted: every size and offset is checked before
 * anything is allocated.
 *
 * <p>Imports nothing else of this project but {@link org.tokentune.BadInputException}; {@code
 * models}, {@code train} and the other modules import it.
 */
package org.tokentune.checkpoint;

/**
 * TokenTune for SameDiff. The root package holds only classes that every package may import: {@link
 * org.tokentune.BadInputException}.
 *
 * <p>Imports run one way; docs/architecture.md has the table.
 */
package org.tokentune;

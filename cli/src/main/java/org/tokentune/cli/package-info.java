/**
 * The {@code tokentune} command, a class a subcommand. Imports all other modules; nothing imports
 * it.
 */
package org.tokentune.cli;

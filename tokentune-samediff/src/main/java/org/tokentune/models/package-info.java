/**
 * Models: for each a configuration record and a builder of its SameDiff graphs, and the heads they
 * share.
 *
 * <p>Imports {@code nn}, {@code ops} and {@code checkpoint}; {@code train} and the other modules
 * import it.
 */
package org.tokentune.models;

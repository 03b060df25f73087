/**
 * Text data sets: files and built-in ones, GLUE, SQuAD, splits, labels, tokenising, streaming and
 * batching. Imports the core; {@code text} and the command line import it; knows nothing of the
 * zoo.
 */
package org.tokentune.datasets;

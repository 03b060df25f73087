/**
 * Text data sets: files and built-in ones, GLUE, SQuAD, splits, labels, tokenising, streaming and
 * batching. Imports the core; {@code text} and the command line import it; knows nothing of the
 * zoo.
 *
 * <p>CSV is cut by FastCSV (4.4.0 of July 2026; 102 kB, no dependencies): of 20,009 short texts of
 * quotes, separators, spaces and line ends in any order it reads each as Python's csv does in
 * strict mode, and refuses those that this refuses. It streams, counts lines, and limits what a
 * field may take. Of the others, DataVec's SerializableCSVParser lets a quote within a field open a
 * quoted one, and so swallows rows; Jackson's CSV drops spaces beside quotes and lets a quote open
 * a field after them; univocity, last released in 2021, closes open quotes at the end of the file;
 * Commons CSV drops spaces after quotes, has no limit for a field, and brings two more jars.
 */
package org.tokentune.datasets;

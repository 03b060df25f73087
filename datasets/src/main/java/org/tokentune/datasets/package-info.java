/**
 * Text data sets: files, built-in data sets, GLUE, SQuAD, splits, labels, tokenising, streaming and
 * batching. It imports the core, and {@code text} and the command line import it; it does not know
 * the zoo.
 *
 * <p>CSV is parsed by FastCSV (4.4.0 of July 2026; 102 kB, no dependencies). It reads 20,009 short
 * texts of quotes, separators, spaces and line ends in any order exactly as Python's csv does in
 * strict mode, and rejects the same ones. It streams, counts lines, and limits the size of a field.
 * Of the alternatives, DataVec's SerializableCSVParser lets a quote within a field open a quoted
 * part, and so loses rows; Jackson's CSV drops spaces beside quotes and lets a quote open a field
 * after them; univocity, last released in 2021, closes open quotes at the end of the file; Commons
 * CSV drops spaces after quotes, does not limit the size of a field, and needs two more jars.
 */
package org.tokentune.datasets;

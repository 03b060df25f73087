package org.tokentune.datasets;

/**
 * One row of a text data set.
 *
 * @param label as the data set has it
 */
public record Example(String text, String label) {}

package org.tokentune.datasets;

import java.util.List;

/** Turns rows into the records of a task. */
interface RowReader<T> {

  /**
   * Checks the header of a table, before its first row is read.
   *
   * @param file for messages
   */
  void header(List<String> columns, String file);

  /** Adds the records of a row, usually one. */
  void row(Row row, List<T> records);
}

package org.tokentune.datasets;

import java.nio.file.Path;
import java.util.List;
import org.tokentune.BadDataException;

/**
 * A record of a table.
 *
 * @param number of its first line, from 1
 */
record Fields(int number, List<String> values) {

  /** Refuses another number of fields than the header has. */
  void check(int columns, Path file) {
    if (values.size() != columns) {
      throw new BadDataException(
          "%s, line %d has %d fields, but the header has %d; correct it.",
          file, number, values.size(), columns);
    }
  }
}

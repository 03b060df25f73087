package org.tokentune.datasets;

import java.io.BufferedReader;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.tokentune.BadDataException;

/**
 * A record of a table.
 *
 * @param number of its first line, from 1
 */
record Fields(int number, List<String> values) {

  /** Records of a text with tabs between fields, without blank lines. */
  static Iterator<Fields> tabs(BufferedReader in) {
    AtomicInteger number = new AtomicInteger();
    return in.lines()
        .map(line -> new Fields(number.incrementAndGet(), Arrays.asList(line.split("\t", -1))))
        .filter(record -> !record.values().stream().allMatch(String::isBlank))
        .iterator();
  }

  /** Rejects another number of fields than the header has. */
  void check(int columns, Origin origin) {
    if (values.size() != columns) {
      throw new BadDataException(
          "%s has %d fields, but the header has %d; correct it.",
          origin.line(number), values.size(), columns);
    }
  }
}

package org.tokentune.datasets;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Names lines and rows of a file, or of a chunk of one, in messages.
 *
 * @param from first byte of the chunk; 0 for a whole file
 */
record Origin(Path file, long from) {

  /** A whole file. */
  Origin(Path file) {
    this(file, 0);
  }

  /** A line, counted from 1 within the chunk. The lines before the chunk are counted only here. */
  String line(int number) {
    return file + ", line " + (linesBefore() + number);
  }

  /**
   * An object in a JSON list.
   *
   * @param number from 1; in a chunk that is not the first, the line is all that is known
   * @param kind "object", or "element" for something else
   */
  String object(String kind, int number, int line) {
    return from == 0
        ? String.format(Locale.ROOT, "%s, %s %d (line %d)", file, kind, number, line)
        : line(line);
  }

  private long linesBefore() {
    long lines = 0;
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      int last = 0;
      for (long at = 0; at < from; at++) {
        int next = in.read();
        lines += next == '\r' || (next == '\n' && last != '\r') ? 1 : 0;
        last = next;
      }
    } catch (IOException e) {
      return 0; // the message that needs the number says what is wrong with the file
    }
    return lines;
  }
}

package org.tokentune.datasets;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;

/**
 * Finds where rows begin that may span lines, or share one: those of CSV and of a JSON list. It is
 * all about quotes and brackets; whether the rows are well-formed is checked when they are read.
 */
final class RowStarts {

  private boolean quoted;

  /** In JSON, after a backslash; in CSV, at the beginning of a field. */
  private boolean special = true;

  /** In CSV, whether the field began with a quote. */
  private boolean quotedField;

  private int depth;

  private RowStarts() {}

  /**
   * Reads the file once.
   *
   * @param json whether it is a JSON list; otherwise it is CSV
   * @param bytes of a chunk, and most of a row
   * @return for every chunk but the first, in order, the first row that begins at its number times
   *     {@code bytes} or later
   * @throws BadInputException if a row is longer
   */
  static long[] of(Path file, boolean json, int bytes, int chunks) {
    long[] starts = new long[chunks];
    RowStarts rows = new RowStarts();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      long row = 0;
      int chunk = 1;
      for (long at = 1; chunk < chunks; at++) {
        int next = in.read();
        if (next < 0 || at - row > bytes) {
          throw new BadDataException(
              "%s has a row of more than %,d bytes at byte %d; shorten it, or close its quotes and brackets.",
              file, bytes, row);
        }
        if (json ? rows.endsElement(next) : rows.endsRecord(next)) {
          row = at;
          if (at >= (long) chunk * bytes) {
            starts[chunk++] = at;
          }
        }
      }
    } catch (IOException e) {
      throw new BadDataException(e, "%s cannot be read: %s.", file, e.getMessage());
    }
    return starts;
  }

  private boolean endsRecord(int next) {
    switch (next) {
      case '"' -> {
        quotedField |= special;
        quoted ^= quotedField; // doubled quotes close and open again
        special = false;
      }
      case ',', '\r', '\n' -> {
        special = !quoted;
        quotedField &= quoted;
        return next == '\n' && !quoted;
      }
      case 0xEF, 0xBB, 0xBF -> {
        // perhaps of a byte order mark, before a quote
      }
      default -> special = false;
    }
    return false;
  }

  private boolean endsElement(int next) {
    if (quoted) {
      boolean escaped = special;
      special = next == '\\' && !escaped;
      quoted = next != '"' || escaped;
      return false;
    }
    special = false;
    switch (next) {
      case '"' -> quoted = true;
      case '[', '{' -> depth++;
      case ']', '}' -> depth--;
      default -> {
        return next == ',' && depth == 1;
      }
    }
    return false;
  }
}

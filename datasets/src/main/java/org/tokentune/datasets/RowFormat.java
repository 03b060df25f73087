package org.tokentune.datasets;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/** Layouts of files with rows. */
enum RowFormat {
  CSV,
  TSV,
  JSON_LINES,
  JSON_LIST;

  /** White space before JSON that is looked through. */
  private static final int MOST_SPACE = 1 << 16;

  /** The layout that a file's name says; empty for other names. JSON may be either of its two. */
  private static Optional<RowFormat> named(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return switch (name.substring(name.lastIndexOf('.') + 1)) {
      case "csv" -> Optional.of(CSV);
      case "tsv", "tab" -> Optional.of(TSV);
      case "jsonl", "ndjson", "json" -> Optional.of(JSON_LINES);
      default -> Optional.empty();
    };
  }

  /** Whether a file's name says that it has rows; otherwise it is plain text. */
  static boolean isNamed(Path file) {
    return named(file).isPresent();
  }

  /** Whether a file's name says that it is a table. */
  static boolean isTable(Path file) {
    return named(file).filter(RowFormat::isTable).isPresent();
  }

  /**
   * The layout of a file, by its name; of JSON, and of files with other names, by the first
   * character.
   *
   * @param in at the beginning of the file, where it stays
   * @throws BadInputException if it has none of the layouts
   */
  static RowFormat of(Path file, BufferedReader in) throws IOException {
    Optional<RowFormat> named = named(file);
    if (named.isPresent() && named.get() != JSON_LINES) {
      return named.get();
    }
    in.mark(MOST_SPACE);
    int first = in.read();
    for (int i = 1; i < MOST_SPACE && first >= 0 && Character.isWhitespace(first); i++) {
      first = in.read();
    }
    in.reset();
    if (first == '[') {
      return JSON_LIST;
    }
    if (named.isEmpty() && first != '{') {
      throw new BadFileException(
          "%s is not in a known format; name it .csv, .tsv or .jsonl.", file);
    }
    return JSON_LINES;
  }

  /** Whether rows are fields below a header. */
  boolean isTable() {
    return this == CSV || this == TSV;
  }

  /** Records of a table. */
  Iterator<Fields> records(BufferedReader in, Origin origin) {
    return this == CSV ? new CsvRecords(in, origin) : Fields.tabs(in);
  }

  /** Rows of JSON. */
  Iterator<Row> objects(BufferedReader in, Origin origin) {
    return this == JSON_LIST ? JsonRows.list(in, origin) : JsonRows.lines(in, origin);
  }

  /** Rows of a table whose header was read. */
  static Iterator<Row> rows(Iterator<Fields> records, Origin origin, List<String> header) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return records.hasNext();
      }

      @Override
      public Row next() {
        Fields record = records.next();
        record.check(header.size(), origin);
        return new Row(() -> origin.line(record.number()), header, record.values());
      }
    };
  }
}

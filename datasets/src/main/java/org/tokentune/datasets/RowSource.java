package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;

/**
 * Rows of a file, one after the other. Only the row that is read is held. Files are UTF-8, with or
 * without byte order mark, and their format follows from the name:
 *
 * <ul>
 *   <li>{@code .csv}: RFC 4180 with a header, as Python's csv reads it in strict mode; quoted
 *       fields may span lines, and a quote within a field that does not begin with one is an
 *       ordinary character.
 *   <li>{@code .tsv}, {@code .tab}: a header, tabs between fields; quotes are ordinary characters,
 *       as in GLUE's files.
 *   <li>{@code .jsonl}, {@code .ndjson}, {@code .json}, and other names if the content begins with
 *       a brace or a bracket: one JSON object per line, or one list of objects.
 * </ul>
 */
public final class RowSource implements Iterator<Row>, AutoCloseable {

  private final TextFile text;
  private final Iterator<Row> rows;
  private final RowFormat format;
  private final List<String> header;

  private RowSource(TextFile text, Path file) {
    this.text = text;
    Origin origin = new Origin(file);
    format = text.read(in -> RowFormat.of(file, in));
    Iterator<Fields> records =
        format.isTable() ? text.read(in -> format.records(in, origin)) : null;
    header = format.isTable() ? text.read(in -> header(records, file)) : List.of();
    rows =
        format.isTable()
            ? RowFormat.rows(records, origin, header)
            : text.read(in -> format.objects(in, origin));
  }

  private static List<String> header(Iterator<Fields> records, Path file) {
    if (!records.hasNext()) {
      throw new BadDataException("%s is empty; give a file with a header and rows.", file);
    }
    return records.next().values().stream().map(String::strip).toList();
  }

  /**
   * Opens a file at its first row.
   *
   * @throws BadInputException if the file is missing, in no known format or not UTF-8, or a table
   *     without a header
   */
  public static RowSource open(Path file) {
    required(file, "file");

    TextFile text = TextFile.open(file);
    try {
      return new RowSource(text, file);
    } catch (BadInputException e) {
      text.close();
      throw e;
    }
  }

  /** Whether a file's name says that it has rows. */
  public static boolean isNamed(Path file) {
    required(file, "file");

    return RowFormat.isNamed(file);
  }

  /** Column names of a table; empty for JSON, where every row has its own. */
  List<String> header() {
    return header;
  }

  RowFormat format() {
    return format;
  }

  /**
   * Reads ahead.
   *
   * @throws BadInputException if the next row is malformed, or the file has changed
   */
  @Override
  public boolean hasNext() {
    boolean more = text.read(in -> rows.hasNext());
    if (!more) {
      text.checkUnchanged();
    }
    return more;
  }

  /**
   * The next row.
   *
   * @throws BadInputException if it is malformed, or the file has changed
   */
  @Override
  public Row next() {
    return text.read(in -> rows.next());
  }

  @Override
  public void close() {
    text.close();
  }

  /**
   * Reads a whole file.
   *
   * @param records their name, for messages
   * @throws BadInputException if the file is missing, malformed or without records, or changes
   *     while it is read
   */
  static <T> List<T> read(Path file, String records, RowReader<T> reader) {
    List<T> read = new ArrayList<>();
    try (RowSource source = open(file)) {
      source.text.read(in -> addAll(source, file, reader, read));
    }
    if (read.isEmpty()) {
      throw hasNone(file, records);
    }
    return read;
  }

  /**
   * Reads the first row of a file.
   *
   * @param records their name, for messages
   * @throws BadInputException if the file is missing or has no row, or the row is malformed
   */
  static <T> T first(Path file, String records, RowReader<T> reader) {
    List<T> read = new ArrayList<>();
    try (RowSource source = open(file)) {
      if (source.format.isTable()) {
        reader.header(source.header, file.toString());
      }
      if (source.hasNext()) {
        reader.row(source.next(), read);
      }
    }
    if (read.isEmpty()) {
      throw hasNone(file, records);
    }
    return read.get(0);
  }

  private static BadInputException hasNone(Path file, String records) {
    return new BadDataException("%s has no %s; give a file with some.", file, records);
  }

  private static <T> List<T> addAll(
      RowSource source, Path file, RowReader<T> reader, List<T> records) {
    if (source.format.isTable()) {
      reader.header(source.header, file.toString());
    }
    source.forEachRemaining(row -> reader.row(row, records));
    return records;
  }
}

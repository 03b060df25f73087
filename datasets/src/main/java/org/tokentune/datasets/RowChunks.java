package org.tokentune.datasets;

import java.io.BufferedReader;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * Rows of a file, chunk by chunk, in any order.
 *
 * @param header of a table
 */
record RowChunks(TextChunks chunks, RowFormat format, List<String> header) {

  /**
   * Opens a file of rows.
   *
   * @param reader checks the header of a table
   * @param bytes of a chunk, about; a row has fewer
   * @throws org.tokentune.BadInputException if the file is missing or in no known format, or a row
   *     is too long
   */
  static RowChunks open(Path file, RowReader<?> reader, int bytes) {
    try (RowSource source = RowSource.open(file)) {
      if (source.format().isTable()) {
        reader.header(source.header(), file.toString());
      }
      return new RowChunks(
          TextChunks.ofRows(file, source.format(), bytes), source.format(), source.header());
    }
  }

  /** Tells rows from others of the same text. */
  String name() {
    return format == RowFormat.JSON_LINES ? "" : ", " + format + header;
  }

  /**
   * Reads a chunk; it may have no rows.
   *
   * @throws org.tokentune.BadInputException if a row is malformed
   */
  <T> List<T> read(TextChunks.Chunk chunk, RowReader<T> reader) {
    List<T> read = new ArrayList<>();
    Iterator<Row> rows = rows(chunk);
    while (rows.hasNext()) {
      reader.row(rows.next(), read);
    }
    return read;
  }

  private Iterator<Row> rows(TextChunks.Chunk chunk) {
    Origin origin = new Origin(chunk.file(), chunk.from());
    String text = format == RowFormat.JSON_LIST ? list(chunk) : chunk.text();
    BufferedReader in = new BufferedReader(new StringReader(text));
    if (!format.isTable()) {
      return format.objects(in, origin);
    }
    Iterator<Fields> records = format.records(in, origin);
    if (chunk.from() == 0 && records.hasNext()) {
      records.next(); // the header
    }
    return RowFormat.rows(records, origin, header);
  }

  /** Elements of a list, as a list: all chunks but the last end with a comma. */
  private static String list(TextChunks.Chunk chunk) {
    String text = chunk.text();
    String begin = chunk.from() == 0 ? "" : "[";
    return begin + (chunk.last() ? text : text.substring(0, text.length() - 1) + "]");
  }
}

package org.tokentune.datavec;

import static org.tokentune.Arguments.required;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.transform.schema.Schema;
import org.datavec.api.writable.BooleanWritable;
import org.datavec.api.writable.NullWritable;
import org.datavec.api.writable.Text;
import org.datavec.api.writable.Writable;
import org.datavec.api.writable.WritableType;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.JsonLines;

/**
 * The records of a {@link RecordReader} as a file of rows, which every task reads, and every
 * stream:
 *
 * <pre>{@code
 * RecordFile.write(reader, List.of("question", "passage"), Path.of("pairs.jsonl"));
 * List<RelatedTexts> pairs = RelatedTexts.read(Path.of("pairs.jsonl"), TextColumns.ALL);
 * }</pre>
 */
public final class RecordFile {

  private RecordFile() {}

  /**
   * Writes all records with the column names of a schema.
   *
   * @param schema of the records; of a {@code TransformProcessRecordReader} that after the
   *     transformation
   * @return how many they are
   * @throws BadInputException as {@link #write(RecordReader, List, Path)}
   */
  public static long write(RecordReader reader, Schema schema, Path file) throws IOException {
    required(reader, "reader");
    required(schema, "schema");
    required(file, "file");

    return write(reader, schema.getColumnNames(), file);
  }

  /**
   * Writes all records, from the first. Numbers and truth values are JSON's, a {@link NullWritable}
   * is its null, and everything else is a text, as the record's own {@code toString} gives it.
   *
   * @param columns the names of a record's values, in their order
   * @param file of JSON lines, best named {@code .jsonl}; written whole or not at all
   * @return how many they are
   * @throws BadInputException if a record has more or fewer values, or bytes, an image or an array,
   *     or a number that JSON has not, or there are none
   * @throws IOException if the file cannot be written
   */
  public static long write(RecordReader reader, List<String> columns, Path file)
      throws IOException {
    required(reader, "reader");
    required(columns, "columns");
    required(file, "file");

    if (columns.isEmpty() || columns.stream().distinct().count() < columns.size()) {
      throw BadSettingsException.of(
          "columns", "must be different names, one for each value of a record, got %s.", columns);
    }
    if (reader.resetSupported()) {
      reader.reset(); // others may have read from it
    }
    long[] records = {0};
    JsonLines.write(
        file,
        lines -> {
          while (reader.hasNext()) {
            records[0]++;
            lines.write(columns, values(reader.next(), columns, records[0]));
          }
          if (records[0] == 0) {
            throw new BadDataException(
                "The record reader %s has no records left; initialize it with some, or make another.",
                reader.getClass().getSimpleName());
          }
        });
    return records[0];
  }

  private static List<Object> values(List<Writable> record, List<String> columns, long number) {
    if (record.size() != columns.size()) {
      throw new BadDataException(
          "Record %,d has %d values, but there are %d columns, %s; name as many.",
          number, record.size(), columns.size(), columns);
    }
    List<Object> values = new ArrayList<>();
    for (int column = 0; column < columns.size(); column++) {
      values.add(value(record.get(column), columns.get(column), number));
    }
    return values;
  }

  private static Object value(Writable value, String column, long number) {
    if (value == null || value instanceof NullWritable) {
      return null;
    }
    if (value instanceof Text) {
      return value.toString();
    }
    if (value instanceof BooleanWritable flag) {
      return flag.get();
    }
    return switch (value.getType()) {
      case Byte, Int -> value.toInt();
      case Long -> value.toLong();
      case Float, Double -> finite(value.toDouble(), value, column, number);
      case Bytes, NDArray, Image ->
          throw new BadDataException(
              "Record %,d has %s in column %s, which is no text, number or truth value; remove the column.",
              number, kind(value.getType()), column);
      default -> value.toString();
    };
  }

  private static String kind(WritableType type) {
    return switch (type) {
      case NDArray -> "an array";
      case Image -> "an image";
      default -> "bytes";
    };
  }

  /** A float as the shortest number that is it, not as the double next to it. */
  private static Object finite(double number, Writable value, String column, long record) {
    if (Double.isFinite(number)) {
      return value.getType() == WritableType.Float ? (Object) value.toFloat() : (Object) number;
    }
    throw new BadDataException(
        "Record %,d has the number %s in column %s, which is not finite; correct it, or remove the"
            + " record.",
        record, number, column);
  }
}

package org.tokentune.datasets;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;

/**
 * A row of a file: values by the names of their columns. Fields of CSV and TSV are strings; values
 * of JSON keep their types: {@link String}, {@link Number}, {@link Boolean}, {@link List}, {@link
 * java.util.Map}, or null.
 */
public final class Row {

  private final Supplier<String> position;
  private final List<String> columns;
  private final List<Object> values;

  /**
   * @param position names the file and the row, for messages
   */
  Row(Supplier<String> position, List<String> columns, List<?> values) {
    this.position = position;
    this.columns = Collections.unmodifiableList(columns);
    this.values = Collections.unmodifiableList(values);
  }

  /** Names the file and the line of this row, as error messages do: {@code rows.csv, line 12}. */
  public String position() {
    return position.get();
  }

  /** The same, asked later: in a part of a file it counts the lines before. */
  Supplier<String> where() {
    return position;
  }

  /** Names of the columns, in the order of the file. */
  public List<String> columns() {
    return columns;
  }

  /** Values, in the order of the columns. */
  public List<Object> values() {
    return values;
  }

  /**
   * The value of a column; null if the row does not have the column, or has null there.
   *
   * @throws BadInputException if several columns have the name
   */
  public Object value(String column) {
    int at = columns.indexOf(column);
    if (at < columns.lastIndexOf(column)) {
      throw new BadDataException(
          "%s has several columns %s; remove or rename all but one.", position(), column);
    }
    return at < 0 ? null : values.get(at);
  }

  /**
   * Rejects a chat, in OpenAI's form or in ShareGPT's.
   *
   * @param wanted the expected content
   */
  void rejectChat(String wanted) {
    for (String column : List.of("messages", "conversations")) {
      int at = columns.indexOf(column);
      if (at >= 0 && values.get(at) instanceof List) {
        throw new BadDataException(
            "%s is a chat (%s), not %s; chats are not read.", position(), column, wanted);
      }
    }
  }

  /** The type of a value in JSON's terms, with its article. */
  static String type(Object value) {
    if (value == null) {
      return "null";
    }
    return value instanceof String
        ? "a string"
        : value instanceof Number
            ? "a number"
            : value instanceof Boolean
                ? "a boolean"
                : value instanceof List ? "an array" : "an object";
  }

  /** The strings of a list of values. */
  static List<String> strings(List<?> values) {
    List<String> strings = new ArrayList<>();
    values.forEach(value -> strings.add(String.valueOf(value)));
    return strings;
  }
}

package org.tokentune.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * Text data sets in files, UTF-8 with or without byte order mark, read row by row.
 *
 * <ul>
 *   <li>{@code .csv}: RFC 4180 with a header, as Python's csv reads it in strict mode; quoted
 *       fields may span lines, and a quote within a field that does not begin with one is a
 *       character.
 *   <li>{@code .tsv}, {@code .tab}: a header, tabs between fields; quotes are ordinary characters,
 *       as in GLUE's files.
 *   <li>{@code .jsonl}, {@code .ndjson}, {@code .json}: a JSON object a line, or one array of
 *       objects. A list in place of a text is its words, in place of a label its labels or tags,
 *       each as it is.
 * </ul>
 */
public final class TextFiles {

  private TextFiles() {}

  /**
   * Reads all rows.
   *
   * @param labelled whether the rows must have labels; otherwise labels are not read
   * @throws BadInputException if the file is missing, empty or malformed, changes while it is read,
   *     or a column or a label is missing
   */
  public static List<Example> read(Path file, Columns columns, boolean labelled) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    String extension = name.substring(name.lastIndexOf('.') + 1);
    return switch (extension) {
      case "csv" -> table(file, in -> new CsvRecords(in, file), columns, labelled);
      case "tsv", "tab" -> table(file, TextFiles::tabs, columns, labelled);
      case "jsonl", "ndjson", "json" ->
          JsonRows.read(
              file,
              "rows",
              (object, where, rows) -> rows.add(row(object, where, columns, labelled)));
      default ->
          throw new BadFileException(
              "%s is of no known format; name it .csv, .tsv or .jsonl.", file);
    };
  }

  /** Records of a text with tabs between fields, without blank lines. */
  static Iterator<Fields> tabs(BufferedReader in) {
    AtomicInteger number = new AtomicInteger();
    return in.lines()
        .map(line -> new Fields(number.incrementAndGet(), Arrays.asList(line.split("\t", -1))))
        .filter(record -> !record.values().stream().allMatch(String::isBlank))
        .iterator();
  }

  private static List<Example> table(
      Path file, TextFile.Body<Iterator<Fields>> format, Columns columns, boolean labelled) {
    List<Example> rows = TextFile.read(file, in -> table(file, format.read(in), columns, labelled));
    if (rows.isEmpty()) {
      throw new BadDataException("%s has no rows; give a file with some.", file);
    }
    return rows;
  }

  private static List<Example> table(
      Path file, Iterator<Fields> records, Columns columns, boolean labelled) {
    if (!records.hasNext()) {
      throw new BadDataException("%s is empty; give a file with a header and rows.", file);
    }
    List<String> header = records.next().values().stream().map(String::strip).toList();
    if (labelled && header.size() == 1) {
      throw new BadDataException(
          "%s has one column, %s, not a text and a label; separate fields of a .csv by commas, of a .tsv by tabs.",
          file, header);
    }
    List<Integer> texts = columns.textPositions(header, file.toString());
    int label = labelled ? columns.labelPosition(header, file.toString()) : -1;
    List<Example> rows = new ArrayList<>();
    while (records.hasNext()) {
      Fields record = records.next();
      List<String> values = record.values();
      record.check(header.size(), file);
      rows.add(
          new Example(
              values.get(texts.get(0)),
              texts.size() == 2 ? values.get(texts.get(1)) : null,
              labelled ? values.get(label).strip() : null));
    }
    return rows;
  }

  private static Example row(JsonNode object, String where, Columns columns, boolean labelled) {
    List<String> names = JsonRows.fields(object);
    if (!columns.hasTexts(names)) {
      JsonRows.refuseChat(object, where, "a row with a text and a label");
    }
    List<Integer> texts = columns.textPositions(names, where);
    JsonNode text = value(object, names.get(texts.get(0)), where);
    JsonNode pair = texts.size() == 2 ? value(object, names.get(texts.get(1)), where) : null;
    JsonNode label =
        labelled ? value(object, names.get(columns.labelPosition(names, where)), where) : null;
    return new Example(
        joined(text, " "), joined(pair, " "), joined(label, ","), list(text), list(label));
  }

  /** A string, number or truth value, or a list of them. */
  private static JsonNode value(JsonNode object, String name, String where) {
    JsonNode value = object.get(name);
    for (JsonNode part : value.isArray() ? value : List.of(value)) {
      if (!part.isValueNode() || part.isNull()) {
        throw new BadDataException(
            "%s: %s is %s%s, not a string, a number or a list of them; correct it.",
            where, name, value.isArray() ? "a list with " : "", JsonRows.kind(part));
      }
    }
    return value;
  }

  private static String joined(JsonNode value, String separator) {
    if (value == null) {
      return null;
    }
    return value.isArray() ? String.join(separator, list(value)) : value.asText();
  }

  /** Null for a single value. */
  private static List<String> list(JsonNode value) {
    if (value == null || !value.isArray()) {
      return null;
    }
    List<String> parts = new ArrayList<>();
    value.forEach(part -> parts.add(part.asText()));
    return parts;
  }
}

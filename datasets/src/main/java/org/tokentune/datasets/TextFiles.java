package org.tokentune.datasets;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.datavec.api.records.reader.impl.csv.SerializableCSVParser;
import org.tokentune.BadInputException;

/**
 * Text data sets in files, UTF-8 with or without byte order mark.
 *
 * <ul>
 *   <li>{@code .csv}: RFC 4180 with a header, cut by DataVec's parser; quoted fields may span
 *       lines.
 *   <li>{@code .tsv}, {@code .tab}: a header, tabs between fields; quotes are ordinary characters,
 *       as in GLUE's files.
 *   <li>{@code .jsonl}, {@code .ndjson}, {@code .json}: a JSON object a line. A list of words
 *       counts as a text, a list of labels as labels.
 * </ul>
 */
public final class TextFiles {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private TextFiles() {}

  /**
   * Reads all rows.
   *
   * @param labelled whether the rows must have labels; otherwise labels are not read
   * @throws BadInputException if the file is missing, empty or malformed, or a column or a label is
   *     missing
   */
  public static List<Example> read(Path file, Columns columns, boolean labelled) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    String extension = name.substring(name.lastIndexOf('.') + 1);
    List<Line> lines = lines(file);
    List<Example> rows =
        switch (extension) {
          case "csv" -> table(csv(lines, file), file, columns, labelled);
          case "tsv", "tab" -> table(tsv(lines), file, columns, labelled);
          case "jsonl", "ndjson", "json" -> jsonLines(lines, file, columns, labelled);
          default ->
              throw new BadInputException(
                  "%s is of no known format; name it .csv, .tsv or .jsonl.", file);
        };
    if (rows.isEmpty()) {
      throw new BadInputException("%s has no rows; give a file with some.", file);
    }
    return rows;
  }

  /** A line that is not blank. */
  private record Line(int number, String text) {}

  /** A record of a table; {@code number} is its first line's. */
  record Fields(int number, List<String> values) {

    /** Refuses another number of fields than the header has. */
    void check(int columns, Path file) {
      if (values.size() != columns) {
        throw new BadInputException(
            "%s, line %d has %d fields, but the header has %d; correct it.",
            file, number, values.size(), columns);
      }
    }
  }

  /** Records of a file with tabs between fields, a header among them. */
  static List<Fields> tabs(Path file) {
    return tsv(lines(file));
  }

  /** Lines of a file in UTF-8. */
  static List<String> text(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadInputException("There is no file %s; check the path.", file);
    }
    try {
      return Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new BadInputException(e, "%s cannot be read as text in UTF-8; convert it.", file);
    }
  }

  private static List<Line> lines(Path file) {
    List<Line> lines = new ArrayList<>();
    for (String text : text(file)) {
      boolean marked = lines.isEmpty() && text.startsWith(BYTE_ORDER_MARK);
      lines.add(new Line(lines.size() + 1, marked ? text.substring(1) : text));
    }
    return lines;
  }

  private static List<Fields> tsv(List<Line> lines) {
    return lines.stream()
        .filter(line -> !line.text().isBlank())
        .map(line -> new Fields(line.number(), Arrays.asList(line.text().split("\t", -1))))
        .toList();
  }

  private static List<Fields> csv(List<Line> lines, Path file) {
    // No escape character: in RFC 4180 a backslash is a backslash, and a quote is doubled.
    SerializableCSVParser parser =
        new SerializableCSVParser(',', '"', SerializableCSVParser.NULL_CHARACTER);
    List<Fields> records = new ArrayList<>();
    List<String> values = new ArrayList<>();
    int start = 0;
    for (Line line : lines) {
      if (values.isEmpty() && !parser.isPending()) {
        if (line.text().isBlank()) {
          continue;
        }
        start = line.number();
      }
      try {
        values.addAll(Arrays.asList(parser.parseLineMulti(line.text())));
      } catch (IOException e) {
        throw new BadInputException(e, "%s, line %d is no CSV; correct it.", file, line.number());
      }
      if (!parser.isPending()) {
        records.add(new Fields(start, List.copyOf(values)));
        values.clear();
      }
    }
    if (parser.isPending()) {
      throw new BadInputException(
          "%s, line %d opens a quote that nothing closes; add one, or double it if it is text.",
          file, start);
    }
    return records;
  }

  private static List<Example> table(
      List<Fields> records, Path file, Columns columns, boolean labelled) {
    if (records.isEmpty()) {
      throw new BadInputException("%s is empty; give a file with a header and rows.", file);
    }
    List<String> header = records.get(0).values().stream().map(String::strip).toList();
    if (labelled && header.size() == 1) {
      throw new BadInputException(
          "%s has one column, %s, not a text and a label; separate fields of a .csv by commas, of a .tsv by tabs.",
          file, header);
    }
    List<Integer> texts = columns.textPositions(header, file.toString());
    int label = labelled ? columns.labelPosition(header, file.toString()) : -1;
    List<Example> rows = new ArrayList<>();
    for (Fields record : records.subList(1, records.size())) {
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

  private static List<Example> jsonLines(
      List<Line> lines, Path file, Columns columns, boolean labelled) {
    List<Example> rows = new ArrayList<>();
    for (Line line : lines) {
      if (line.text().isBlank()) {
        continue;
      }
      String where = file + ", line " + line.number();
      JsonNode object;
      try {
        object = JSON.readTree(line.text());
      } catch (JsonProcessingException e) {
        throw new BadInputException(e, "%s is no JSON; correct it.", where);
      }
      if (!object.isObject()) {
        throw new BadInputException("%s is no JSON object; write one object a line.", where);
      }
      List<String> names = new ArrayList<>();
      object.fieldNames().forEachRemaining(names::add);
      List<Integer> texts = columns.textPositions(names, where);
      rows.add(
          new Example(
              value(object, names, texts.get(0), " ", where),
              texts.size() == 2 ? value(object, names, texts.get(1), " ", where) : null,
              labelled
                  ? value(object, names, columns.labelPosition(names, where), ",", where)
                  : null));
    }
    return rows;
  }

  private static String value(
      JsonNode object, List<String> names, int position, String separator, String where) {
    JsonNode value = object.get(names.get(position));
    if (value.isArray()) {
      return StreamSupport.stream(value.spliterator(), false)
          .map(JsonNode::asText)
          .collect(Collectors.joining(separator));
    }
    if (!value.isValueNode() || value.isNull()) {
      throw new BadInputException(
          "%s: %s is no string, number or list; correct it.", where, names.get(position));
    }
    return value.asText();
  }
}

package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;

/**
 * Text data sets in files of rows, in any format of {@link RowSource}. A list in place of a text is
 * its words, in place of a label its labels or tags, each as it is.
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
    required(file, "file");
    required(columns, "columns");

    return RowSource.read(file, "rows", new Examples(columns, labelled));
  }

  /** Makes examples of rows. */
  static final class Examples implements RowReader<Example> {

    private final boolean labelled;
    private Columns columns;

    /** Column names for which the positions hold; null before the first row. */
    private List<String> names;

    private List<Integer> texts;
    private int label;

    Examples(Columns columns, boolean labelled) {
      this.columns = columns;
      this.labelled = labelled;
    }

    @Override
    public void header(List<String> header, String file) {
      if (labelled && header.size() == 1) {
        throw new BadDataException(
            "%s has one column, %s, not a text and a label; separate fields of a .csv by commas, of a .tsv by tabs.",
            file, header);
      }
      locate(header, file);
    }

    private void locate(List<String> header, String origin) {
      texts = columns.textPositions(header, origin);
      label = labelled ? columns.labelPosition(header, origin) : -1;
      names = header;
    }

    @Override
    public void row(Row row, List<Example> rows) {
      if (!row.columns().equals(names)) {
        if (!columns.hasTexts(row.columns())) {
          row.rejectChat("a row with a text and a label");
        }
        columns = columns.named(row.columns());
        locate(row.columns(), row.position());
      }
      Object text = value(row, texts.get(0));
      Object pair = texts.size() == 2 ? value(row, texts.get(1)) : null;
      Object answer = labelled ? value(row, label) : null;
      rows.add(
          new Example(
              joined(text, " "),
              joined(pair, " "),
              labelled ? joined(answer, ",").strip() : null,
              list(text),
              list(answer)));
    }

    /** A string, number or truth value, or a list of them. */
    private static Object value(Row row, int column) {
      Object value = row.values().get(column);
      for (Object part : value instanceof List<?> list ? list : Collections.singletonList(value)) {
        if (part == null || part instanceof List || part instanceof Map) {
          throw new BadDataException(
              "%s: %s is %s%s, not a string, a number or a list of them; correct it.",
              row.position(),
              row.columns().get(column),
              value instanceof List ? "a list with " : "",
              Row.type(part));
        }
      }
      return value;
    }

    private static String joined(Object value, String separator) {
      if (value == null) {
        return null;
      }
      return value instanceof List<?> list
          ? String.join(separator, Row.strings(list))
          : value.toString();
    }

    /** Null for a single value. */
    private static List<String> list(Object value) {
      return value instanceof List<?> list ? Row.strings(list) : null;
    }
  }
}

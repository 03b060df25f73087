package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;

/**
 * A row of a data set for vectors of texts. As in sentence-transformers the order of the columns
 * counts, not their names: the anchor, its positive, and any number of negatives.
 *
 * @param texts at least two
 * @param score of a pair; null if the data have none
 */
public record RelatedTexts(List<String> texts, Float score) {

  /** Columns that hold scores, in the order in which they are looked for. */
  private static final List<String> SCORES = List.of("label", "labels", "score", "scores");

  public RelatedTexts {
    required(texts, "texts");

    texts = List.copyOf(texts);
    if (texts.size() < 2) {
      throw BadSettingsException.of("texts", "must be at least two, got %d.", texts.size());
    }
  }

  /**
   * Which columns hold the texts and the score.
   *
   * @param texts by name or by number from 1; if empty, all but that of the score, in their order
   * @param score by name or number; if null, the first of label, labels, score and scores that the
   *     file has
   */
  public record TextColumns(List<String> texts, String score) {

    /** All columns, in their order. */
    public static final TextColumns ALL = new TextColumns(List.of(), null);

    public TextColumns {
      required(texts, "texts");

      texts = List.copyOf(texts);
      if (texts.size() == 1) {
        throw new BadSettingsException(
            "%s names one text column; give two or more: anchor, positive, negatives.", texts);
      }
    }

    /** The same by the names that they have in a file: those of its first row. */
    TextColumns of(Path file) {
      Reader reader = new Reader(this);
      RowSource.first(file, "rows", reader);
      return new TextColumns(reader.texts, reader.score);
    }
  }

  /**
   * Reads the first row of a file.
   *
   * @throws BadInputException as {@link #read}
   */
  public static RelatedTexts first(Path file, TextColumns columns) {
    required(file, "file");
    required(columns, "columns");

    return RowSource.first(file, "rows", new Reader(columns));
  }

  /**
   * Reads all rows of a file in any format of {@link RowSource}.
   *
   * @throws BadInputException if the file is missing, empty or malformed, or a row has no text in a
   *     column, or no score where the others have one
   */
  public static List<RelatedTexts> read(Path file, TextColumns columns) {
    required(file, "file");
    required(columns, "columns");

    return RowSource.read(file, "rows", new Reader(columns));
  }

  /** Whether all of the rows have scores. */
  public static boolean areScored(List<RelatedTexts> rows) {
    required(rows, "rows");

    return rows.stream().allMatch(row -> row.score() != null);
  }

  /** What a column is, for messages. */
  static String role(int column) {
    return switch (column) {
      case 0 -> "anchor";
      case 1 -> "positive";
      default -> "negative";
    };
  }

  /** Makes records of rows. */
  static final class Reader implements RowReader<RelatedTexts> {

    private final TextColumns columns;

    /** Names of the first row's columns; null before it. */
    private List<String> names;

    private List<String> texts;
    private String score;

    Reader(TextColumns columns) {
      this.columns = columns;
    }

    @Override
    public void header(List<String> header, String file) {
      locate(header, file);
    }

    private void locate(List<String> header, String origin) {
      score =
          columns.score() == null
              ? SCORES.stream().filter(header::contains).findFirst().orElse(null)
              : name(columns.score(), header, origin);
      texts =
          columns.texts().isEmpty()
              ? header.stream().filter(column -> !column.equals(score)).toList()
              : columns.texts().stream().map(column -> name(column, header, origin)).toList();
      if (texts.size() < 2) {
        throw new BadDataException(
            "%s has the columns %s, of which two or more must be texts: anchor, positive, negatives;"
                + " separate fields of a .csv by commas, of a .tsv by tabs.",
            origin, header);
      }
      if (texts.stream().distinct().count() < texts.size()) {
        throw new BadDataException(
            "%s has several columns of one name, %s; give each its own.", origin, header);
      }
      names = header;
    }

    private static String name(String column, List<String> header, String origin) {
      return header.get(Columns.position(column, header, origin));
    }

    @Override
    public void row(Row row, List<RelatedTexts> rows) {
      if (names == null) {
        row.rejectChat("a row with an anchor and a positive");
        locate(row.columns(), row.position());
      }
      List<String> values = new ArrayList<>();
      for (int i = 0; i < texts.size(); i++) {
        values.add(text(row, i));
      }
      rows.add(new RelatedTexts(values, score == null ? null : score(row)));
    }

    private String text(Row row, int number) {
      String column = texts.get(number);
      Object value = row.value(column);
      if (value == null || (value instanceof String text && text.isBlank())) {
        throw new BadDataException(
            "%s has no %s: there is no text in its column %s; give one, or remove the row.",
            row.position(), role(number), column);
      }
      if (value instanceof List || value instanceof Map) {
        throw new BadDataException(
            "%s: %s is %s, not a text; give each text a column of its own, or name the columns.",
            row.position(), column, Row.type(value));
      }
      return value.toString();
    }

    private Float score(Row row) {
      Object value = row.value(score);
      try {
        float number =
            value instanceof Boolean flag
                ? flag ? 1 : 0
                : Float.parseFloat(String.valueOf(value).strip());
        if (Float.isFinite(number)) {
          return number;
        }
      } catch (NumberFormatException e) {
        // reported below
      }
      throw new BadDataException(
          "%s has the score '%s' in its column %s, which is not a number; correct it, or name another"
              + " column.",
          row.position(), String.format(Locale.ROOT, "%.40s", value), score);
    }
  }
}

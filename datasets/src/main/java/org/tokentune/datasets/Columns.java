package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.List;
import org.tokentune.BadDataException;
import org.tokentune.BadSettingsException;

/**
 * Says which columns of a file hold the texts and the label, by name or by number from 1 (names
 * take precedence).
 *
 * @param texts one column or a pair; if empty, "text", "sentence", or "sentence1" and "sentence2"
 * @param label if null, {@code label}
 */
public record Columns(List<String> texts, String label) {

  /** The default names. */
  public static final Columns DEFAULT = new Columns(List.of(), null);

  private static final List<List<String>> USUAL =
      List.of(List.of("text"), List.of("sentence"), List.of("sentence1", "sentence2"));

  private static final String USUAL_LABEL = "label";

  public Columns {
    required(texts, "texts");

    texts = List.copyOf(texts);
    if (texts.size() > 2) {
      throw new BadSettingsException(
          "%s names %d text columns; give one, or two for text pairs.", texts, texts.size());
    }
  }

  /**
   * The same columns, with numbers replaced by the names that they have in a row. So the order of
   * an object's fields may change from row to row.
   */
  Columns named(List<String> header) {
    return new Columns(
        texts.stream().map(column -> name(column, header)).toList(),
        label == null ? null : name(label, header));
  }

  private static String name(String column, List<String> header) {
    boolean number = isNumber(column, header) && !header.contains(column);
    return number ? header.get(Integer.parseInt(column) - 1) : column;
  }

  private static boolean isNumber(String column, List<String> header) {
    return column.matches("[1-9][0-9]{0,5}") && Integer.parseInt(column) <= header.size();
  }

  /** Whether the text columns are given, or a row with these column names has the default ones. */
  boolean hasTexts(List<String> header) {
    return !texts.isEmpty() || USUAL.stream().anyMatch(header::containsAll);
  }

  /** Finds the texts in a row with these column names. */
  List<Integer> textPositions(List<String> header, String origin) {
    if (!texts.isEmpty()) {
      List<Integer> positions = new ArrayList<>();
      for (String column : texts) {
        positions.add(position(column, header, origin));
      }
      return positions;
    }
    for (List<String> usual : USUAL) {
      if (header.containsAll(usual)) {
        return usual.stream().map(column -> position(column, header, origin)).toList();
      }
    }
    throw new BadDataException(
        "%s has no column text, sentence, or sentence1 and sentence2; name the text's column, one of %s.",
        origin, header);
  }

  /** Finds the label in a row with these column names. */
  int labelPosition(List<String> header, String origin) {
    if (label == null && !header.contains(USUAL_LABEL)) {
      throw new BadDataException(
          "%s has no column label; name the label's column, one of %s.", origin, header);
    }
    return position(label == null ? USUAL_LABEL : label, header, origin);
  }

  /** Finds a column by its name, or by its number from 1. */
  static int position(String column, List<String> header, String origin) {
    int named = header.indexOf(column);
    if (named < header.lastIndexOf(column)) {
      throw new BadDataException(
          "%s has several columns %s; name the one you mean by its number, from 1.",
          origin, column);
    }
    if (named >= 0) {
      return named;
    }
    if (isNumber(column, header)) {
      return Integer.parseInt(column) - 1;
    }
    throw new BadDataException("%s has no column %s; its columns are %s.", origin, column, header);
  }
}

package org.tokentune.spark;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;
import org.tokentune.BadDataException;
import org.tokentune.datasets.Example;

/**
 * Rows of a Spark data set as labelled texts, in Spark's order. That of a single file is the
 * file's; rows of several files or of a shuffle may come in another order on another cluster, so
 * sort such a data set if a training is to be repeated.
 */
public final class SparkExamples {

  private SparkExamples() {}

  /**
   * Reads all rows.
   *
   * @param text name of the column of texts
   * @param pair name of the column of second texts; null: there is none
   * @param label name of the column of labels: strings, numbers or booleans; null: there is none
   * @throws BadDataException if there is no such column, it has another type, or a row has no value
   *     in it
   */
  public static List<Example> read(Dataset<Row> rows, String text, String pair, String label) {
    required(rows, "rows");
    required(text, "text");

    List<String> names = new ArrayList<>(List.of(text));
    if (pair != null) {
      names.add(pair);
    }
    if (label != null) {
      names.add(label);
    }
    Column[] columns =
        names.stream().map(name -> column(rows, name, !name.equals(label))).toArray(Column[]::new);
    List<Example> examples = new ArrayList<>();
    for (Row row : rows.select(columns).collectAsList()) {
      for (int i = 0; i < names.size(); i++) {
        if (row.isNullAt(i)) {
          throw new BadDataException(
              "Row %,d of the data set has no value in %s; give it one, or leave the row out.",
              examples.size() + 1, names.get(i));
        }
      }
      examples.add(
          new Example(
              row.getString(0),
              pair == null ? null : row.getString(1),
              label == null ? null : row.getString(names.size() - 1)));
    }
    return examples;
  }

  private static Column column(Dataset<Row> rows, String name, boolean text) {
    check(rows.schema(), name, text);
    return rows.col(quoted(name)).cast("string");
  }

  /** A name as it stands, even with dots. */
  static String quoted(String name) {
    return '`' + name.replace("`", "``") + '`';
  }

  /**
   * Checks that there is a column of texts, or of labels.
   *
   * @throws BadDataException if there is none
   */
  static void check(StructType schema, String name, boolean text) {
    if (!Arrays.asList(schema.fieldNames()).contains(name)) {
      throw new BadDataException(
          "The data set has no column %s, only %s; name one of these.",
          name, String.join(", ", schema.fieldNames()));
    }
    DataType type = schema.apply(name).dataType();
    boolean label = type instanceof NumericType || type instanceof BooleanType;
    if (!(type instanceof StringType) && (text || !label)) {
      throw new BadDataException(
          "Column %s has the type %s, which is not that of %s; cast it.",
          name, type.simpleString(), text ? "texts" : "labels");
    }
  }
}

package org.tokentune.spark;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;
import org.tokentune.BadDataException;
import org.tokentune.Warnings;
import org.tokentune.datasets.ChatFormat;
import org.tokentune.datasets.Conversation;
import org.tokentune.datasets.Conversations;
import org.tokentune.datasets.Example;

/**
 * Rows of a Spark data set as labelled texts or as conversations, in Spark's order. That of a
 * single file is the file's; rows of several files or of a shuffle may come in another order on
 * another cluster, so sort such a data set if a training is to be repeated.
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

  /**
   * Reads all rows as conversations, for {@link ChatFormat#rows}. Columns are the fields that
   * {@link Conversations} knows, lists and objects as arrays and structs or maps; others are passed
   * over. What is null counts as missing, as Spark gives all messages the fields that any of them
   * has.
   *
   * @throws BadDataException if there are no such columns, or a row is not a conversation
   */
  public static List<Conversation> conversations(Dataset<Row> rows) {
    required(rows, "rows");

    if (mergesArguments(rows.schema())) {
      Warnings.warn(
          "Spark holds the arguments of all calls of tools, or the parameters of all tools, as one"
              + " structure: their order is lost, and empty and null ones are gone. Have them as texts in"
              + " JSON, or give the data set a schema in which they are maps.");
    }
    return Conversations.parse(
        rows.toJSON().collectAsList(), Arrays.asList(rows.schema().fieldNames()), "The data set");
  }

  /** Whether arguments of calls, or parameters of tools, are structures. */
  static boolean mergesArguments(StructType schema) {
    return isStruct(schema, "arguments") || isStruct(schema, "parameters");
  }

  /** Whether a field of this name, at any depth, is a structure. */
  private static boolean isStruct(DataType type, String name) {
    if (type instanceof ArrayType array) {
      return isStruct(array.elementType(), name);
    }
    if (type instanceof MapType map) {
      return isStruct(map.valueType(), name);
    }
    return type instanceof StructType struct
        && Arrays.stream(struct.fields())
            .anyMatch(
                field ->
                    (field.name().equals(name) && field.dataType() instanceof StructType)
                        || isStruct(field.dataType(), name));
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

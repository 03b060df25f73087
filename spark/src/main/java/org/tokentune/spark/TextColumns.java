package org.tokentune.spark;

import java.io.Serializable;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.tokentune.BadDataException;

/** The columns that training and prediction have in common, as parameters of a stage. */
record TextColumns(
    Param<String> text, Param<String> pair, Param<String> prediction, Param<String> probability)
    implements Serializable {

  /** The usual names. */
  static TextColumns of(Params stage) {
    TextColumns columns =
        new TextColumns(
            new Param<>(stage, "textCol", "column of texts"),
            new Param<>(stage, "pairCol", "column of second texts; empty: none"),
            new Param<>(stage, "predictionCol", "column to add: the likeliest class"),
            new Param<>(
                stage, "probabilityCol", "column to add: a map from classes to probabilities"));
    stage.setDefault(columns.text, "text");
    stage.setDefault(columns.pair, "");
    stage.setDefault(columns.prediction, "prediction");
    stage.setDefault(columns.probability, "probabilities");
    return columns;
  }

  String textOf(Params stage) {
    return stage.getOrDefault(text);
  }

  /** The name of the column of second texts; null: there is none. */
  String pairOf(Params stage) {
    String name = stage.getOrDefault(pair);
    return name.isEmpty() ? null : name;
  }

  /**
   * The schema with the columns that are added.
   *
   * @param type of predictions
   * @throws BadDataException if a column is missing, or one that is to be added is there
   */
  StructType transform(StructType schema, Params stage, DataType type) {
    SparkExamples.check(schema, textOf(stage), true);
    if (pairOf(stage) != null) {
      SparkExamples.check(schema, pairOf(stage), true);
    }
    return with(
        with(schema, stage.getOrDefault(prediction), type),
        stage.getOrDefault(probability),
        DataTypes.createMapType(DataTypes.StringType, DataTypes.DoubleType, false));
  }

  private static StructType with(StructType schema, String name, DataType type) {
    for (String other : schema.fieldNames()) {
      if (other.equals(name)) {
        throw new BadDataException(
            "The data set has a column %s already; drop it, or give the new column another name.",
            name);
      }
    }
    return schema.add(name, type, true);
  }
}

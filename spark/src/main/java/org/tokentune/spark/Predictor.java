package org.tokentune.spark;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.tokentune.datasets.Example;
import org.tokentune.text.Prediction;
import org.tokentune.text.TextModel;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Adds a prediction and the probabilities of all classes to each row of a partition; both are null
 * where there is no text.
 *
 * @param pair name of the column of second texts; null: there is none
 */
record Predictor(Broadcast<ModelArchive> model, String text, String pair)
    implements MapPartitionsFunction<Row, Row> {

  /** Rows that are predicted together. */
  private static final int ROWS = 256;

  /** How many models an executor keeps open. */
  private static final int MODELS = 2;

  private static final Map<String, TextModel> OPEN =
      new LinkedHashMap<>(4, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, TextModel> eldest) {
          return size() > MODELS; // not closed: a task may still predict with it
        }
      };

  private static TextModel open(ModelArchive archive) {
    synchronized (OPEN) {
      return OPEN.computeIfAbsent(archive.id(), id -> archive.open());
    }
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    return new Iterator<>() {
      private Iterator<Row> done = List.<Row>of().iterator();

      @Override
      public boolean hasNext() {
        return done.hasNext() || rows.hasNext();
      }

      @Override
      public Row next() {
        if (!done.hasNext()) {
          List<Row> some = new ArrayList<>();
          while (some.size() < ROWS && rows.hasNext()) {
            some.add(rows.next());
          }
          done = predicted(some).iterator();
        }
        return done.next();
      }
    };
  }

  private List<Row> predicted(List<Row> rows) {
    List<Example> examples = new ArrayList<>();
    for (Row row : rows) {
      if (hasText(row)) {
        examples.add(
            new Example(row.getAs(text), pair == null ? null : row.<String>getAs(pair), null));
      }
    }
    Iterator<Prediction> predictions = open(model.value()).predictRows(examples).iterator();
    return rows.stream().map(row -> with(row, hasText(row) ? predictions.next() : null)).toList();
  }

  private boolean hasText(Row row) {
    return row.getAs(text) != null && (pair == null || row.getAs(pair) != null);
  }

  private static Row with(Row row, Prediction prediction) {
    Object[] values = new Object[row.size() + 2];
    for (int i = 0; i < row.size(); i++) {
      values[i] = row.get(i);
    }
    if (prediction != null) {
      values[row.size()] = prediction.labels().get(0);
      values[row.size() + 1] = CollectionConverters.asScala(prediction.scores());
    }
    return RowFactory.create(values);
  }
}

package org.tokentune.datavec;

import static org.tokentune.Arguments.required;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.transform.schema.Schema;
import org.datavec.api.writable.NullWritable;
import org.datavec.api.writable.Writable;
import org.tokentune.BadDataException;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.Example;

/**
 * Labelled texts from the records of a {@link RecordReader}, one at a time: only the record that is
 * read is held. Every {@link #iterator} begins at the first record again, so that {@code
 * TextBatches.streamed} reads an epoch after the other; a reader is read by one iterator at a time.
 *
 * <pre>{@code
 * RecordReader reader = new CSVRecordReader(1);
 * reader.initialize(new FileSplit(new File("reviews.csv")));
 * Examples rows = Examples.of(reader, 0, 1);
 * Labels labels = Labels.of(Objectives.CLASSIFY, rows.stream().toList());
 * network.fit(TextBatches.streamed(rows, labels, tokenizer, 16, 42));
 * }</pre>
 */
public final class Examples implements Iterable<Example> {

  private final RecordReader reader;
  private final int text;
  private final int label;
  private Reading reading;

  private Examples(RecordReader reader, int text, int label) {
    this.reader = reader;
    this.text = text;
    this.label = label;
  }

  /**
   * The texts of a column with the labels of another.
   *
   * @param reader initialised
   * @param text number of the text's column, from 0, as DataVec counts
   * @param label number of the label's column, from 0
   */
  public static Examples of(RecordReader reader, int text, int label) {
    if (reader == null) {
      throw BadSettingsException.of("reader", "must not be null.");
    }
    if (text < 0) {
      throw BadSettingsException.of("text", "must be a column from 0, got %d.", text);
    }
    if (label < 0 || label == text) {
      throw BadSettingsException.of(
          "label", "must be a column from 0 that is not the text's, got %d.", label);
    }
    return new Examples(reader, text, label);
  }

  /**
   * The same by the names that a schema gives the columns.
   *
   * @param schema of the records; of a {@code TransformProcessRecordReader} that after the
   *     transformation
   * @throws BadSettingsException if it does not have one of the columns
   */
  public static Examples of(RecordReader reader, Schema schema, String text, String label) {
    required(reader, "reader");
    required(schema, "schema");
    required(text, "text");
    required(label, "label");
    return of(reader, column(schema, "text", text), column(schema, "label", label));
  }

  private static int column(Schema schema, String parameter, String name) {
    if (!schema.hasColumn(name)) {
      throw BadSettingsException.of(
          parameter,
          "must be a column of the schema, which has %s, got %s.",
          schema.getColumnNames(),
          name);
    }
    return schema.getIndexOfColumn(name);
  }

  /** The examples in order; ends any earlier iterator. */
  @Override
  public Iterator<Example> iterator() {
    if (reader.resetSupported()) {
      reader.reset(); // even at first, because others may have read from it
    } else if (reading != null) {
      throw new BadDataException(
          "The record reader %s can be read once only; read its records into a list.",
          reader.getClass().getSimpleName());
    }
    reading = new Reading();
    return reading;
  }

  /** The examples in order, as {@link #iterator} gives them. */
  public Stream<Example> stream() {
    return StreamSupport.stream(spliterator(), false);
  }

  private final class Reading implements Iterator<Example> {

    private long number;

    @Override
    public boolean hasNext() {
      return this == reading && reader.hasNext();
    }

    @Override
    public Example next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      List<Writable> record = reader.next();
      number++;
      return new Example(value(record, text, "text"), null, value(record, label, "label").strip());
    }

    private String value(List<Writable> record, int column, String what) {
      if (column >= record.size()) {
        throw new BadDataException(
            "Record %d has %d columns, so there is no column %d with its %s; columns are counted from 0.",
            number, record.size(), column, what);
      }
      Writable value = record.get(column);
      if (value == null || value instanceof NullWritable || value.toString().isBlank()) {
        throw new BadDataException(
            "Record %d has no %s in column %d; give it one or remove it.", number, what, column);
      }
      return value.toString();
    }
  }
}

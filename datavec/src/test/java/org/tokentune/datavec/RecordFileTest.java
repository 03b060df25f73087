package org.tokentune.datavec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.records.reader.impl.collection.CollectionRecordReader;
import org.datavec.api.records.reader.impl.csv.CSVRecordReader;
import org.datavec.api.records.reader.impl.transform.TransformProcessRecordReader;
import org.datavec.api.split.FileSplit;
import org.datavec.api.transform.TransformProcess;
import org.datavec.api.transform.condition.string.StringRegexColumnCondition;
import org.datavec.api.transform.schema.Schema;
import org.datavec.api.writable.BooleanWritable;
import org.datavec.api.writable.BytesWritable;
import org.datavec.api.writable.DoubleWritable;
import org.datavec.api.writable.FloatWritable;
import org.datavec.api.writable.IntWritable;
import org.datavec.api.writable.LongWritable;
import org.datavec.api.writable.NDArrayWritable;
import org.datavec.api.writable.NullWritable;
import org.datavec.api.writable.Text;
import org.datavec.api.writable.Writable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.datasets.RelatedTexts;

class RecordFileTest {

  @TempDir private Path folder;

  private static RecordReader records(List<List<Writable>> records) {
    return new CollectionRecordReader(records);
  }

  @Test
  void writesEveryKindOfValue() throws IOException {
    List<Writable> record =
        List.of(
            new Text("a \"b\"\n\u8a9e"),
            new IntWritable(-3),
            new LongWritable(1L << 60),
            new FloatWritable(0.1f),
            new DoubleWritable(1e-9),
            new BooleanWritable(true),
            NullWritable.INSTANCE);
    Path file = folder.resolve("rows.jsonl");
    List<String> columns = List.of("t", "i", "l", "f", "d", "b", "n");
    assertEquals(1, RecordFile.write(records(List.of(record)), columns, file));
    String written = Files.readString(file);
    System.out.print(written);
    assertEquals(
        "{\"t\":\"a \\\"b\\\"\\n\u8a9e\",\"i\":-3,\"l\":1152921504606846976,\"f\":0.1,"
            + "\"d\":1.0E-9,\"b\":true,\"n\":null}",
        written.strip());
  }

  /** Records of a transformation become the rows of a task that is not about labels. */
  @Test
  void feedsTasksOfSeveralTexts() throws Exception {
    Path csv = folder.resolve("rows.csv");
    Files.writeString(
        csv, "q,lang,a\nwhat,en,this\nwho,en,left out\nwhere,en,there\nhow,en,left out\n");
    RecordReader reader = new CSVRecordReader(1);
    reader.initialize(new FileSplit(csv.toFile()));
    Schema schema = new Schema.Builder().addColumnsString("q", "lang", "a").build();
    TransformProcess transform =
        new TransformProcess.Builder(schema)
            .filter(new StringRegexColumnCondition("a", "left out"))
            .removeColumns("lang")
            .build();
    RecordReader transformed = new TransformProcessRecordReader(reader, transform);
    transformed.next(); // another has read from it
    Path file = folder.resolve("rows.jsonl");
    assertEquals(2, RecordFile.write(transformed, transform.getFinalSchema(), file));
    assertEquals(
        List.of(
            new RelatedTexts(List.of("what", "this"), null),
            new RelatedTexts(List.of("where", "there"), null)),
        RelatedTexts.read(file, RelatedTexts.TextColumns.ALL));
  }

  @Test
  void refusesWhatIsNoRow() throws IOException {
    List<Writable> good = List.of(new Text("a"), new IntWritable(1));
    refused(
        "Record 2 has 1 values, but there are 2 columns", List.of(good, List.of(new Text("b"))));
    refused(
        "Record 1 has an array in column n,",
        List.of(List.of(new Text("a"), new NDArrayWritable(Nd4j.ones(2)))));
    refused(
        "Record 1 has bytes in column n,",
        List.of(List.of(new Text("a"), new BytesWritable(new byte[] {1}))));
    refused(
        "Record 2 has the number NaN in column n,",
        List.of(good, List.of(new Text("a"), new DoubleWritable(Double.NaN))));
    refused("CollectionRecordReader has no records left", List.of());
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(0, left.count());
    }
  }

  private void refused(String part, List<List<Writable>> records) {
    Path file = folder.resolve("bad.jsonl");
    String message =
        assertThrows(
                BadInputException.class,
                () -> RecordFile.write(records(records), List.of("t", "n"), file))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains(part), message);
    assertFalse(Files.exists(file));
  }
}

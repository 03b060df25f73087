package org.tokentune.datavec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.records.reader.impl.collection.CollectionRecordReader;
import org.datavec.api.records.reader.impl.csv.CSVRecordReader;
import org.datavec.api.records.reader.impl.transform.TransformProcessRecordReader;
import org.datavec.api.split.FileSplit;
import org.datavec.api.transform.TransformProcess;
import org.datavec.api.transform.schema.Schema;
import org.datavec.api.writable.Text;
import org.datavec.api.writable.Writable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadInputException;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.SingleInputs;
import org.tokentune.datasets.TextBatches;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.objectives.Objectives;

class ExamplesTest {

  private static final Path TOKENIZER = Path.of("../datasets/src/test/resources/tokenizer.json");

  @TempDir Path folder;

  private static RecordReader csv(Path file) throws Exception {
    RecordReader reader = new CSVRecordReader(1);
    reader.initialize(new FileSplit(file.toFile()));
    return reader;
  }

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("rows.csv"), text);
  }

  @Test
  void readsRecordsAgainAndAgain() throws Exception {
    Path rows = file("stars,review\n5,a good film\n1,\"dull, and long\"\n");
    Examples examples = Examples.of(csv(rows), 1, 0);
    List<Example> expected =
        List.of(new Example("a good film", null, "5"), new Example("dull, and long", null, "1"));
    assertEquals(expected, examples.stream().toList());
    assertEquals(expected, examples.stream().toList());

    Iterator<Example> first = examples.iterator();
    first.next();
    assertEquals(expected, examples.stream().toList());
    assertFalse(first.hasNext());
  }

  @Test
  void takesTheColumnsOfASchema() throws Exception {
    Path rows = file("stars,review,lang\n5,a good film,en\n1,dull,en\n");
    Schema schema = new Schema.Builder().addColumnsString("stars", "review", "lang").build();
    TransformProcess transform =
        new TransformProcess.Builder(schema)
            .removeColumns("lang")
            .renameColumn("stars", "y")
            .build();
    RecordReader reader = new TransformProcessRecordReader(csv(rows), transform);
    Examples examples = Examples.of(reader, transform.getFinalSchema(), "review", "y");
    assertEquals(new Example("dull", null, "1"), examples.stream().toList().get(1));
    assertRefused(
        "text must be a column of the schema, which has [y, review], got body.",
        () -> Examples.of(reader, transform.getFinalSchema(), "body", "y"));
  }

  /** Nothing is read before it is asked for, and not more than a pool of batches. */
  @Test
  void batchesAreMadeAsTheyAreAskedFor() throws Exception {
    List<List<Writable>> records = new ArrayList<>();
    IntStream.range(0, 1000)
        .forEach(
            i -> records.add(List.of(new Text("word " + i), new Text(i % 2 == 0 ? "a" : "b"))));
    List<Integer> read = new ArrayList<>();
    RecordReader reader =
        new CollectionRecordReader(records) {
          @Override
          public List<Writable> next() {
            read.add(1);
            return super.next();
          }
        };
    Labels labels = new Labels(Objectives.CLASSIFY, List.of("a", "b"));
    try (TextTokenizer tokenizer =
        TextTokenizer.open(Files.readAllBytes(TOKENIZER), "tokenizer.json", 32, true)) {
      MultiDataSetIterator batches =
          TextBatches.streamed(Examples.of(reader, 0, 1), labels, tokenizer, 4, 7);
      assertEquals(0, read.size());
      MultiDataSet first = batches.next();
      assertEquals(200, read.size());
      assertEquals(4, first.getLabels(0).size(0));
      INDArray labelled = first.getLabels(0).sum(0);
      while (batches.hasNext()) {
        labelled.addi(batches.next().getLabels(0).sum(0));
      }
      assertArrayEquals(new float[] {500, 500}, labelled.toFloatVector()); // every row, once

      MultiDataSetIterator one =
          TextBatches.streamed(Examples.of(reader, 0, 1), labels, tokenizer, 5000, 7);
      for (int epoch = 0; epoch < 2; epoch++) {
        assertEquals(1000, one.next().getLabels(0).size(0)); // all rows, in fewer than a batch
        assertFalse(one.hasNext());
        one.reset();
      }

      batches.reset();
      SingleInputs single = new SingleInputs(batches, labels);
      DataSet data = single.next();
      assertEquals(4, data.getFeatures().size(0));
      assertEquals(data.getFeaturesMaskArray().shape()[1], data.getFeatures().size(1));
      assertEquals(List.of("a", "b"), single.getLabels());
      assertEquals(2, single.totalOutcomes());
    }
  }

  @Test
  void refusesWhatIsNotARow() throws Exception {
    Examples missing = Examples.of(csv(file("a,b\nx,1\ny\n")), 0, 1);
    assertRefused(
        "Record 2 has 1 columns, so there is no column 1 with its label",
        () -> missing.stream().toList());
    Examples blank = Examples.of(csv(file("a,b\nx,1\n,2\n")), 0, 1);
    assertRefused("Record 2 has no text in column 0", () -> blank.stream().toList());
    assertRefused(
        "label must be a column", () -> Examples.of(csv(folder.resolve("rows.csv")), 1, 1));
    assertRefused(
        "text must be a column", () -> Examples.of(csv(folder.resolve("rows.csv")), -1, 1));
    assertRefused("reader must not be null", () -> Examples.of(null, 0, 1));
  }

  private static void assertRefused(String part, Executable action) {
    String message = assertThrows(BadInputException.class, action).getMessage();
    assertTrue(message.contains(part), message);
  }
}

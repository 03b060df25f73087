package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.objectives.Objectives;
import org.tokentune.train.StepInputs;

class TextBatchesTest {

  private static final List<Example> ROWS =
      List.of(
          new Example("the cat", "animal"),
          new Example("a red film", "thing"),
          new Example("one", "number"),
          new Example("the dog likes the bird", "animal"),
          new Example("a book", "thing"));

  private static TextTokenizer tokenizer;

  @BeforeAll
  static void open() throws IOException {
    byte[] json = Files.readAllBytes(Path.of("src/test/resources/tokenizer.json"));
    tokenizer = TextTokenizer.open(json, "tokenizer.json", 12, false);
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  @Test
  void everyEpochHasEveryTextOnce() {
    Labels labels = Labels.of(Objectives.CLASSIFY, ROWS);
    TextBatches batches = new TextBatches(ROWS, labels, tokenizer, 2, 42);
    List<String> first = epoch(batches, labels);
    batches.reset();
    List<String> second = epoch(batches, labels);
    assertNotEquals(first, second);
    assertEquals(first.stream().sorted().toList(), second.stream().sorted().toList());
    assertEquals(
        first, epoch(new TextBatches(ROWS, labels, tokenizer, 2, 42), labels), "same seed");
  }

  private static List<String> epoch(TextBatches batches, Labels labels) {
    Map<String, String> classes = new HashMap<>();
    ROWS.forEach(row -> classes.put(row.text(), row.label()));
    List<String> texts = new ArrayList<>();
    while (batches.hasNext()) {
      MultiDataSet batch = batches.next();
      long rows = batch.getFeatures(0).size(0);
      assertArrayEquals(new long[] {rows, 3}, batch.getLabels(0).shape());
      assertEquals(DataType.FLOAT, batch.getLabels(0).dataType());
      for (int row = 0; row < rows; row++) {
        int length = batch.getFeatures(1).getRow(row).sumNumber().intValue();
        int[] ids = batch.getFeatures(0).getRow(row).toIntVector();
        String text = tokenizer.decode(Arrays.copyOf(ids, length));
        float[] label = new float[3];
        label[labels.names().indexOf(classes.get(text))] = 1;
        assertArrayEquals(label, batch.getLabels(0).getRow(row).toFloatVector(), text);
        texts.add(text);
      }
    }
    assertEquals(ROWS.size(), texts.size());
    return texts;
  }

  @Test
  void keepsMultipleLabelsAndNumbers() {
    List<Example> flags = List.of(new Example("a", "x,y"), new Example("the", "y"));
    assertEquals(
        3,
        next(flags, Labels.of(Objectives.MULTILABEL, flags)).getLabels(0).sumNumber().intValue());
    List<Example> numbers = List.of(new Example("a", "1.5"), new Example("the", "2"));
    MultiDataSet batch = next(numbers, Labels.of(Objectives.REGRESS, numbers));
    assertArrayEquals(new long[] {2, 1}, batch.getLabels(0).shape());
    assertEquals(3.5, batch.getLabels(0).sumNumber().doubleValue());
  }

  private static MultiDataSet next(List<Example> rows, Labels labels) {
    return new TextBatches(rows, labels, tokenizer, 2, 1).next();
  }

  /** A saved model's graph, its classifier trained by SameDiff itself. */
  @Test
  void trainsWithPlainSameDiff() {
    Labels labels = Labels.of(Objectives.CLASSIFY, ROWS);
    TextBatches batches = new TextBatches(ROWS, labels, tokenizer, 5, 42);
    SameDiff sd = graph();
    SDVariable targets = sd.placeHolder("targets", DataType.FLOAT, -1, 3);
    sd.convertToVariable(sd.getVariable("classifier.weight"));
    sd.loss().softmaxCrossEntropy("loss", targets, sd.getVariable(ModelGraph.LOGITS), null);
    sd.setLossVariables("loss");
    sd.setTrainingConfig(
        TrainingConfig.builder()
            .updater(new Adam(0.1))
            .dataSetFeatureMapping(
                ModelGraph.INPUT_IDS, ModelGraph.ATTENTION_MASK, ModelGraph.TOKEN_TYPE_IDS)
            .dataSetLabelMapping("targets")
            .build());
    MultiDataSet all = new TextBatches(ROWS, labels, tokenizer, 5, 1).next();
    Map<String, INDArray> inputs = StepInputs.features(all);
    inputs.put("targets", all.getLabels(0));
    double before = sd.outputSingle(inputs, "loss").getDouble(0);
    sd.fit(batches, 20);
    double after = sd.outputSingle(inputs, "loss").getDouble(0);
    System.out.printf("plain SameDiff's loss on texts: %.4f, then %.4f%n", before, after);
    assertTrue(after < 0.95 * before, before + " then " + after);
  }

  private static SameDiff graph() {
    Path golden = Path.of("../tokentune-samediff/src/test/resources/golden/bert");
    TransformerModel model =
        ModelConfig.read(ModelFolder.config(golden), "golden")
            .model(new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
    try (WeightSource weights = ModelFolder.weights(golden)) {
      return model.build(ParameterLoader.load(model, weights), GraphOptions.inference()).sd();
    }
  }

  @Test
  void rejectsTags() {
    List<Example> tagged = List.of(new Example("a cat", "O ANIMAL"));
    Labels tags = Labels.of(Objectives.TOKEN, tagged);
    assertThrows(BadInputException.class, () -> new TextBatches(tagged, tags, tokenizer, 2, 1));
  }
}

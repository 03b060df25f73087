package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadInputException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.WeightedAdapter;
import org.tokentune.datasets.OnLong;
import org.tokentune.datasets.RelatedTexts;
import org.tokentune.datasets.RelatedTexts.TextColumns;
import org.tokentune.datasets.StreamedRows;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.EmbeddingLabel;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Scores;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.Hyperparameters;

/** A small sentence encoder that learns which texts belong together. */
class EmbeddingModelTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/embed-mean");
  private static final EmbeddingLoss RANKING = EmbeddingLoss.of(EmbeddingLoss.Kind.RANKING, 2);

  @TempDir private Path folder;
  private Path base;

  @BeforeEach
  void copy() throws IOException {
    base = folder.resolve("base");
    try (Stream<Path> files = Files.walk(GOLDEN)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path to = base.resolve(GOLDEN.relativize(file).toString());
        Files.createDirectories(to.getParent());
        Files.copy(file, to);
      }
    }
  }

  private void pool(String mode) throws IOException {
    Path config = base.resolve("1_Pooling/config.json");
    Files.writeString(config, Files.readString(config).replace("\"mean\"", '"' + mode + '"'));
  }

  private static List<RelatedTexts> pairs() {
    return IntStream.range(0, 24)
        .mapToObj(i -> new RelatedTexts(List.of("w" + (5 + i), "w" + (5 + i) + " w40 w41"), null))
        .toList();
  }

  private static TuningSettings settings() {
    return TuningSettings.defaults()
        .withTokens("2")
        .withMinTokens(1)
        .withBatchSize(8)
        .withHyperparameters(
            Hyperparameters.defaults().withEpochs(12).withLearningRate(5e-3).withSeed(7));
  }

  private static EmbeddingModel open(ModelFiles files, EmbeddingLoss loss) {
    return EmbeddingModel.open(files, loss, null, 0.0, WeightStorage.FLOAT32);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mean", "cls", "max", "lasttoken", "weightedmean"})
  void learnsWithEveryPooling(String mode) throws IOException {
    pool(mode);
    try (ModelFiles files = ModelFolder.open(base);
        EmbeddingModel model = open(files, RANKING)) {
      Scores before = model.evaluate(pairs());
      model.fineTune(pairs(), List.of(), settings(), new FineTuningListener() {});
      Scores after = model.evaluate(pairs());
      System.out.printf(
          "%s: MRR@10 %.3f before, %.3f after; loss %.3f, %.3f%n",
          mode,
          before.get(Metric.MRR_AT_10),
          after.get(Metric.MRR_AT_10),
          before.loss(),
          after.loss());
      assertTrue(after.loss() < 0.8 * before.loss());
      Path saved = folder.resolve("saved");
      model.save(saved);
      try (ModelFiles others = ModelFolder.open(saved);
          EmbeddingModel same = open(others, RANKING)) {
        assertEquals(after.loss(), same.evaluate(pairs()).loss(), 1e-6);
      }
    }
  }

  @Test
  void vectorsWithAdaptersAreThoseOfTheMergedModel() {
    Path adapters = folder.resolve("adapters");
    Path merged = folder.resolve("merged");
    try (ModelFiles files = ModelFolder.open(base);
        EmbeddingModel model = open(files, RANKING)) {
      model.addAdapter(LoraConfig.parse("r=2"), 3);
      model.fineTune(pairs(), List.of(), settings(), new FineTuningListener() {});
      model.saveAdapter(adapters);
      model.save(merged);
    }
    List<String> texts = List.of("w5 w9", "w30 w31 w32");
    List<float[]> expected;
    try (ModelFiles files = ModelFolder.open(merged);
        SentenceEncoder encoder = SentenceEncoder.open(files, null)) {
      expected = encoder.embed(texts);
    }
    try (ModelFiles files = ModelFolder.open(base)) {
      List<WeightedAdapter> one = List.of(WeightedAdapter.parse(adapters.toString()));
      try (SentenceEncoder encoder =
              SentenceEncoder.open(files, null, OnLong.CUT, WeightStorage.FLOAT32, one);
          SentenceEncoder plain = SentenceEncoder.open(files, null)) {
        List<float[]> adapted = encoder.embed(texts);
        double difference = 0;
        for (int i = 0; i < texts.size(); i++) {
          assertArrayEquals(expected.get(i), adapted.get(i), 1e-5f);
          difference += Math.abs(plain.embed(texts).get(i)[0] - adapted.get(i)[0]);
        }
        System.out.println("the adapters change the first number by " + difference);
        assertTrue(difference > 1e-3);
      }
    }
  }

  /** More pairs than are read at once, of which many share a text with others. */
  private Path file(String name, int pairs) throws IOException {
    boolean json = name.endsWith(".jsonl");
    Random random = new Random(5);
    StringBuilder rows = new StringBuilder(json ? "" : "question,answer\n");
    for (int i = 0; i < pairs; i++) {
      String anchor = "w" + (5 + random.nextInt(20)) + " w" + (5 + random.nextInt(20));
      String positive = anchor + " w40".repeat(i % 200 == 0 ? 40 : random.nextInt(12));
      rows.append(
          (json ? "{\"question\": \"%s\", \"answer\": \"%s\"}\n" : "%s,%s\n")
              .formatted(anchor, positive));
    }
    return Files.writeString(folder.resolve(name), rows);
  }

  @Test
  void streamsAsManyRowsAsItReads() throws IOException {
    Path csv = file("pairs.csv", 30_000);
    Path json = file("pairs.jsonl", 30_000);
    try (ModelFiles files = ModelFolder.open(base);
        EmbeddingModel model = open(files, RANKING);
        StreamedRows stream = model.stream(csv, TextColumns.ALL);
        StreamedRows same = model.stream(json, new TextColumns(List.of("1", "answer"), null))) {
      int rows = 0;
      int shapes = 0;
      for (MultiDataSetIterator batches = stream.batches(16, 7, 0); batches.hasNext(); ) {
        INDArray labels = batches.next().getLabels(0);
        int pairs = (int) labels.size(0) / 2;
        rows += pairs;
        shapes += pairs == 16 ? 0 : 1;
        Map<Long, Integer> places = new HashMap<>();
        float[][] encoded = labels.toFloatMatrix();
        for (int i = 0; i < encoded.length; i++) {
          Integer before = places.put(EmbeddingLabel.keyIn(encoded[i]), i % pairs);
          assertTrue(before == null || before == i % pairs, "a text in two rows of a batch");
          assertEquals(i < pairs ? 0 : 1, (int) encoded[i][0]);
        }
      }
      int held = stream.relatedValidation().size();
      System.out.printf("%,d pairs streamed, %,d held, %d batches not full%n", rows, held, shapes);
      assertEquals(30_000, rows + held);
      assertTrue(shapes < 60);

      MultiDataSet first = stream.batches(16, 7, 1).next();
      assertEquals(first.getFeatures(0), stream.batches(16, 7, 1).next().getFeatures(0));
      assertFalse(first.getFeatures(0).equals(stream.batches(16, 7, 0).next().getFeatures(0)));
      assertEquals(
          stream.relatedValidation().get(0).size(), same.relatedValidation().get(0).size());
    }
  }

  @Test
  void learnsFromAStream() throws IOException {
    Path rows = file("pairs.csv", 20_000);
    try (ModelFiles files = ModelFolder.open(base);
        EmbeddingModel model = open(files, RANKING);
        StreamedRows stream = model.stream(rows, TextColumns.ALL)) {
      List<RelatedTexts> held = RelatedTexts.read(rows, TextColumns.ALL).subList(0, 100);
      Scores before = model.evaluate(held);
      TuningSettings settings = settings();
      Hyperparameters steps = settings.hyperparameters().withSteps(30);
      model.fineTune(
          stream, held, settings.withHyperparameters(steps), new FineTuningListener() {});
      Scores after = model.evaluate(held);
      System.out.printf("loss %.3f, %.3f%n", before.loss(), after.loss());
      assertTrue(after.loss() < 0.9 * before.loss());
    }
  }

  @Test
  void namesTheRowOfAStream() throws IOException {
    Path rows = file("pairs.csv", 20_000);
    Files.writeString(
        rows, Files.readString(rows).replaceFirst("(?s)(.*)\n[^,]*,([^\n]*)\n$", "$1\n,$2\n"));
    try (ModelFiles files = ModelFolder.open(base);
        EmbeddingModel model = open(files, RANKING);
        StreamedRows stream = model.stream(rows, TextColumns.ALL)) {
      rejected("pairs.csv, line 20001 has no anchor", stream::relatedValidation);
    }
    try (ModelFiles files = ModelFolder.open(base);
        EmbeddingModel model = open(files, EmbeddingLoss.of(EmbeddingLoss.Kind.RANKING, 3));
        StreamedRows stream = model.stream(rows, TextColumns.ALL)) {
      rejected("has 2 texts, but the loss ranking is of 3", () -> stream.batches(4, 1, 0));
    }
  }

  @Test
  void wrongRowsAreRejected() {
    try (ModelFiles files = ModelFolder.open(base);
        EmbeddingModel model = open(files, RANKING)) {
      List<RelatedTexts> triplets = List.of(new RelatedTexts(List.of("a", "b", "c"), null));
      rejected("Row 1 has 3 texts, but the loss ranking is of 2", () -> model.evaluate(triplets));
    }
    try (ModelFiles files = ModelFolder.open(base);
        EmbeddingModel model = open(files, EmbeddingLoss.of(EmbeddingLoss.Kind.COSENT, 2))) {
      rejected("Row 1 has no score", () -> model.evaluate(pairs()));
    }
  }

  private static void rejected(String reason, Executable call) {
    String message = assertThrows(BadInputException.class, call).getMessage();
    System.out.println(message);
    assertTrue(message.contains(reason), message);
  }
}

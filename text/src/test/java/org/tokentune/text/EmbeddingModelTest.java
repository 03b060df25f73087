package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokentune.BadInputException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.WeightedAdapter;
import org.tokentune.datasets.OnLong;
import org.tokentune.datasets.RelatedTexts;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.models.WeightStorage;
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

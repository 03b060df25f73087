package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.OnLong;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.formats.FloatType;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.SafeTensorsWriter;
import org.tokentune.models.WeightStorage;

/** Vectors are those of sentence-transformers 6.2, which made the resource. */
class SentenceEncoderTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path FIXTURES = Path.of("../datasets/src/test/resources/sentences");

  @TempDir private Path folder;

  private static List<JsonNode> list(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).toList();
  }

  private static double[] numbers(JsonNode array) {
    return list(array).stream().mapToDouble(JsonNode::asDouble).toArray();
  }

  private static JsonNode all() throws IOException {
    return JSON.readTree(FIXTURES.resolve("cases.json").toFile());
  }

  private static List<String> texts(JsonNode all) {
    return list(all.path("texts")).stream().map(JsonNode::asText).toList();
  }

  /** Writes a case's folder. */
  private static Path model(JsonNode one, Path at) throws IOException {
    Path encoder = at.resolve(one.path("path").asText());
    Files.createDirectories(encoder);
    String kind = one.path("encoder").asText();
    try (Stream<Path> files = Files.list(FIXTURES.resolve(kind))) {
      for (Path file : files.toList()) {
        Files.copy(file, encoder.resolve(file.getFileName()));
      }
    }
    Files.copy(
        FIXTURES.resolveSibling("tokenizers").resolve(kind + ".json"),
        encoder.resolve("tokenizer.json"));
    for (Map.Entry<String, JsonNode> file : one.path("files").properties()) {
      Path path = at.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      JSON.writeValue(path.toFile(), file.getValue());
    }
    for (Map.Entry<String, JsonNode> layer : one.path("dense").properties()) {
      Map<String, INDArray> tensors = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> tensor : layer.getValue().properties()) {
        JsonNode values = tensor.getValue();
        tensors.put(
            tensor.getKey(),
            values.path(0).isArray()
                ? Nd4j.createFromArray(
                    list(values).stream()
                        .map(SentenceEncoderTest::numbers)
                        .toArray(double[][]::new))
                : Nd4j.createFromArray(numbers(values)));
      }
      SafeTensorsWriter.write(
          at.resolve(layer.getKey()).resolve("model.safetensors"), tensors, FloatType.F32);
    }
    return at;
  }

  @TestFactory
  List<DynamicTest> vectorsAreSentenceTransformers() throws IOException {
    JsonNode all = all();
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode one : all.path("cases")) {
      String name = one.path("name").asText();
      tests.add(
          DynamicTest.dynamicTest(
              name,
              () -> {
                Path model = model(one, folder.resolve(name));
                if (one.has("refused")) {
                  String message =
                      assertThrows(BadInputException.class, () -> embed(model, one, all))
                          .getMessage();
                  assertTrue(message.contains(one.path("refused").asText()), message);
                } else {
                  compare(one, embed(model, one, all));
                }
              }));
    }
    assertTrue(tests.size() > 70);
    return tests;
  }

  private static List<float[]> embed(Path model, JsonNode one, JsonNode all) {
    JsonNode options = one.path("encode");
    String prompt = options.path("prompt_name").asText(options.path("prompt").asText(null));
    try (ModelFiles files = ModelFiles.open(model);
        SentenceEncoder encoder = SentenceEncoder.open(files, null)) {
      return encoder.embed(texts(all), prompt);
    }
  }

  private static void compare(JsonNode one, List<float[]> vectors) {
    for (int i = 0; i < vectors.size(); i++) {
      double[] expected = numbers(one.path("vectors").path(i));
      double[] actual = new double[vectors.get(i).length];
      for (int j = 0; j < actual.length; j++) {
        actual[j] = vectors.get(i)[j];
      }
      assertArrayEquals(expected, actual, 1e-5);
    }
  }

  private static JsonNode named(JsonNode all, String name) {
    return list(all.path("cases")).stream()
        .filter(one -> one.path("name").asText().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** An encoder without sentence-transformers' files: the mean, normalised; nothing is cut. */
  @Test
  void plainEncodersGiveTheNormalisedMean() throws IOException {
    JsonNode all = all();
    Path model = model(named(all, "new-mean"), folder.resolve("plain"));
    Files.delete(model.resolve("modules.json"));
    List<String> texts = texts(all);
    try (ModelFiles files = ModelFiles.open(model);
        SentenceEncoder encoder = SentenceEncoder.open(files, null)) {
      double[] expected = numbers(named(all, "new-mean").path("vectors").path(0));
      float[] actual = encoder.embed(texts.subList(0, 1)).get(0);
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], actual[i], 1e-5);
      }
      String longText = String.join(" ", texts).repeat(3);
      try (SentenceEncoder refuses =
          SentenceEncoder.open(files, null, OnLong.REFUSE, WeightStorage.FLOAT32)) {
        assertThrows(BadInputException.class, () -> refuses.embed(List.of(longText)));
      }
      assertEquals(expected.length, encoder.embed(List.of(longText)).get(0).length);
    }
    try (ModelFiles files = ModelFiles.open(model);
        SentenceEncoder encoder = SentenceEncoder.open(files, 9)) {
      assertEquals(texts.size(), encoder.embed(texts).size());
    }
  }

  /** Whatever other texts are given with it, and how they are batched. */
  @Test
  void vectorsDoNotDependOnOtherTexts() throws IOException {
    JsonNode all = all();
    Path model = model(named(all, "new-mean"), folder.resolve("alone"));
    String[] words = String.join(" ", texts(all)).split(" ");
    List<String> texts = new ArrayList<>(List.of(""));
    for (int i = 0; i < 300; i++) { // several batches, of lengths that are padded together
      int from = i * 7 % words.length;
      int to = Math.min(words.length, from + 1 + i * i % 30);
      texts.add(String.join(" ", List.of(words).subList(from, to)));
    }
    try (ModelFiles files = ModelFiles.open(model);
        SentenceEncoder encoder = SentenceEncoder.open(files, null)) {
      assertEquals(List.of(), encoder.embed(List.of()));
      List<float[]> together = encoder.embed(texts);
      assertEquals(texts.size(), together.size());
      double worst = 0;
      for (int i = 0; i < texts.size(); i++) {
        float[] alone = encoder.embed(texts.subList(i, i + 1)).get(0);
        for (int j = 0; j < alone.length; j++) {
          worst = Math.max(worst, Math.abs(alone[j] - together.get(i)[j]));
        }
      }
      System.out.printf("%d texts alone and together: off by %.1e%n", texts.size(), worst);
      assertTrue(worst < 1e-6);
    }
  }

  /** Of nine tokens seven are words; a quarter of them, one, is in the next window as well. */
  @Test
  void averagesTheVectorsOfWindows() throws IOException {
    JsonNode all = all();
    Path model = model(named(all, "new-mean"), folder.resolve("windows"));
    JsonNode modules = JSON.readTree(model.resolve("modules.json").toFile());
    JSON.writeValue( // not normalised
        model.resolve("modules.json").toFile(), List.of(modules.get(0), modules.get(1)));
    try (ModelFiles files = ModelFiles.open(model);
        TextTokenizer tokenizer = TextTokenizer.open(files, 100, false);
        SentenceEncoder split =
            SentenceEncoder.open(files, 9, OnLong.SPLIT, WeightStorage.FLOAT32)) {
      List<String> words =
          Stream.of(String.join(" ", texts(all)).split(" "))
              .filter(word -> tokenizer.encodePiece(word).length == 1)
              .limit(10)
              .toList();
      List<float[]> vectors =
          split.embed(
              List.of(
                  String.join(" ", words),
                  String.join(" ", words.subList(0, 7)),
                  String.join(" ", words.subList(6, 10))));
      System.out.println(words + ": " + vectors.get(0)[0] + " " + vectors.get(1)[0]);
      for (int i = 0; i < vectors.get(0).length; i++) {
        assertEquals((vectors.get(1)[i] + vectors.get(2)[i]) / 2, vectors.get(0)[i], 1e-6);
      }
    }
  }

  /** A length that is asked for counts more than the model's. */
  @Test
  void cutsToTheLengthThatIsAskedFor() throws IOException {
    JsonNode all = all();
    Path one = model(named(all, "length-of-encoder"), folder.resolve("nine"));
    Path other = model(named(all, "length-of-tokenizer"), folder.resolve("eleven"));
    try (ModelFiles files = ModelFiles.open(one);
        ModelFiles others = ModelFiles.open(other);
        SentenceEncoder eleven = SentenceEncoder.open(files, 11);
        SentenceEncoder same = SentenceEncoder.open(others, null)) {
      List<float[]> expected = same.embed(texts(all));
      List<float[]> actual = eleven.embed(texts(all));
      for (int i = 0; i < expected.size(); i++) {
        assertArrayEquals(expected.get(i), actual.get(i), 1e-6f);
      }
    }
  }

  /** What is trained from a model goes on to embed as that does; its files stand in one folder. */
  @Test
  void whatIsSavedEmbedsAlike() throws IOException {
    JsonNode all = all();
    for (String name : List.of("dense-two", "own-folder", "prompts-default", "roberta-lower")) {
      JsonNode one = named(all, name);
      Path model = model(one, folder.resolve(name));
      Path saved = folder.resolve(name + "-saved");
      List<Example> rows =
          List.of(new Example("the king", "a"), new Example("hi", "b"), new Example("Queen", "a"));
      try (ModelFiles files = ModelFiles.open(model);
          TextModel trained = TextModel.forClasses(files, rows)) {
        TuningSettings nothing = TuningSettings.defaults().withEpochs(1).withLearningRate(1e-12);
        trained.fineTune(new DataSplit(rows, rows, rows), nothing);
        trained.save(saved);
        trained.save(saved); // in place of itself, folders and all
      }
      compare(one, embed(saved, one, all));
      assertTrue(Files.exists(saved.resolve("config.json")));
    }
  }
}

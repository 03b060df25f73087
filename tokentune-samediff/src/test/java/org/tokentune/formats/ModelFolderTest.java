package org.tokentune.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.files.ModelWriter;
import org.tokentune.models.ModelConfig;
import org.tokentune.testing.Said;

class ModelFolderTest {

  private static final byte[] TOKENIZER = "{}".getBytes(StandardCharsets.UTF_8);
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private static Map<String, INDArray> weights(float scale) {
    Map<String, INDArray> weights = new LinkedHashMap<>();
    weights.put("a", Nd4j.linspace(1, 6, 6).castTo(Nd4j.dataType()).reshape(2, 3).mul(scale));
    weights.put("b.permuted", weights.get("a").permute(1, 0));
    weights.put("scalar", Nd4j.scalar(7f));
    return weights;
  }

  private static ObjectNode config(String type) {
    return JSON.createObjectNode().put("model_type", type);
  }

  @Test
  void readsBackAWrittenModel() {
    Path model = folder.resolve("deep/model");
    ModelWriter.write(model, config("bert"), weights(1), TOKENIZER, List.of());
    ModelWriter.write(model, config("bert"), weights(2), TOKENIZER, List.of()); // replaces
    try (ModelFiles files = ModelFolder.open(model)) {
      assertEquals("bert", files.config().path("model_type").asText());
      assertArrayEquals(TOKENIZER, ((TokenizerSource.Json) files.tokenizer()).bytes());
      weights(2).forEach((name, array) -> assertSameBits(array, files.weights().read(name)));
      assertEquals(3, files.weights().names().size());
    }
    assertEquals(List.of("model"), entries(model.getParent()));
  }

  @Test
  void readsBack16BitTypesAndShards() {
    for (FloatType type : FloatType.values()) {
      Path model = folder.resolve("model-" + type);
      // 6, 6 and 1 elements: with room for 8, the last two share a file.
      ModelWriter.Storage storage = new ModelWriter.Storage(type, 8L * type.width);
      ModelWriter.write(model, config("llama"), weights(1 / 3f), TOKENIZER, storage, List.of());
      double step = type == FloatType.F32 ? 0 : type == FloatType.F16 ? 0x1p-11 : 0x1p-8;
      try (ModelFiles files = ModelFiles.open(model)) {
        assertEquals(type.torchName, files.config().path("torch_dtype").asText());
        weights(1 / 3f)
            .forEach(
                (name, array) -> {
                  INDArray read = files.weights().read(name);
                  double error = array.sub(read).div(array).amaxNumber().doubleValue();
                  assertTrue(error <= step, name + " differs by " + error);
                });
      }
      assertTrue(entries(model).contains("model-00001-of-00002.safetensors"));
      assertTrue(!entries(model).contains("model.safetensors"));
    }
  }

  /** As transformers 4 and 5 name the tensors of a Gemma 3 for images and text. */
  @ParameterizedTest
  @CsvSource({
    "language_model.model., vision_tower., language_model.",
    "model.language_model., model.vision_tower., ''"
  })
  void theTextOfAGemma3ForImagesIsAModel(String prefix, String images, String head)
      throws IOException {
    Path golden = Path.of("src/test/resources/golden/gemma3");
    ObjectNode whole = config("gemma3").put("torch_dtype", "float32");
    whole.set("text_config", ModelFolder.config(golden));
    whole.putObject("vision_config").put("hidden_size", 4);
    Map<String, INDArray> weights = new LinkedHashMap<>();
    Map<String, INDArray> stored = new LinkedHashMap<>();
    try (WeightSource source = ModelFolder.weights(golden)) {
      source.names().forEach(name -> weights.put(name, source.read(name)));
    }
    weights.forEach((name, array) -> stored.put(name.replaceFirst("^model\\.", prefix), array));
    stored.put(images + "post_layernorm.weight", Nd4j.ones(4));
    stored.put(head + "lm_head.weight", Nd4j.ones(2, 2));
    ModelWriter.write(folder.resolve("whole"), whole, stored, TOKENIZER, List.of());
    try (ModelFiles files = ModelFolder.open(folder.resolve("whole"))) {
      assertEquals(
          ModelConfig.read(ModelFolder.config(golden), "golden"),
          ModelConfig.read(files.config(), "whole"));
      assertEquals(weights.size() + 1, files.weights().names().size());
      weights.forEach((name, array) -> assertSameBits(array, files.weights().read(name), name));
      assertArrayEquals(new long[] {2, 2}, files.weights().shape("lm_head.weight"));
    }
    whole.remove("text_config");
    ModelWriter.write(folder.resolve("none"), whole, stored, TOKENIZER, List.of());
    String message =
        assertThrows(BadInputException.class, () -> ModelFolder.config(folder.resolve("none")))
            .getMessage();
    assertTrue(message.contains("has no text_config"), message);
  }

  @Test
  void keepsLogAndCheckpointsWhenReplacingAModel() throws IOException {
    Path model = folder.resolve("model");
    ModelWriter.Extra extra = staged -> Files.createFile(staged.resolve("README.md"));
    ModelWriter.write(model, config("first"), weights(1), TOKENIZER, List.of(extra));
    Files.createFile(model.resolve("log.jsonl"));
    Files.createDirectories(model.resolve("checkpoints/step-00000001"));
    ModelWriter.write(model, config("second"), weights(1), TOKENIZER, List.of());
    assertEquals(
        List.of("checkpoints", "config.json", "log.jsonl", "model.safetensors", "tokenizer.json"),
        entries(model));
    assertEquals(List.of("step-00000001"), entries(model.resolve("checkpoints")));
    assertEquals("second", ModelFolder.config(model).path("model_type").asText());
    assertEquals(List.of("model"), entries(folder));
  }

  @Test
  void failedWriteLeavesTheFolderUnchanged() {
    Path model = folder.resolve("model");
    ModelWriter.write(model, config("first"), weights(1), TOKENIZER, List.of());
    ModelWriter.Extra failing =
        staged -> {
          throw new IOException("no space left");
        };
    String message =
        assertThrows(
                BadInputException.class,
                () ->
                    ModelWriter.write(
                        model, config("second"), weights(1), TOKENIZER, List.of(failing)))
            .getMessage();
    assertTrue(message.contains("no space left"), message);
    assertEquals("first", ModelFolder.config(model).path("model_type").asText());
    assertEquals(List.of("model"), entries(folder));
  }

  @Test
  void rejectsFilesAndFoldersWithOtherContent() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "text");
    Path foreign = Files.createDirectory(folder.resolve("foreign"));
    Files.writeString(foreign.resolve("thesis.txt"), "years of work");
    for (Path bad : List.of(file, foreign, file.resolve("below"))) {
      String message =
          assertThrows(BadInputException.class, () -> ModelWriter.checkWritable(bad)).getMessage();
      System.out.println(message);
      assertTrue(message.contains(bad.toString()), message);
    }
    ModelWriter.checkWritable(Files.createDirectory(folder.resolve("empty")));
  }

  @Test
  void rejectsADiskWithoutRoom() {
    Path model = folder.resolve("not/there/yet");
    ModelWriter.checkSpace(model, 1000);
    String message =
        assertThrows(BadInputException.class, () -> ModelWriter.checkSpace(model, 1L << 60))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains("the model takes 1,152,921,504,606 MB"), message);
  }

  @Test
  void readsShards() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.write(folder.resolve("tokenizer.json"), TOKENIZER);
    Map<String, INDArray> all = weights(1);
    ObjectNode index = JSON.createObjectNode();
    int number = 0;
    for (Map.Entry<String, INDArray> tensor : all.entrySet()) {
      String shard = "model-0000" + ++number + "-of-00003.safetensors";
      SafeTensorsWriter.write(folder.resolve(shard), Map.of(tensor.getKey(), tensor.getValue()));
      index.withObject("/weight_map").put(tensor.getKey(), shard);
    }
    Path file = folder.resolve("model.safetensors.index.json");
    JSON.writeValue(file.toFile(), index);
    try (ModelFiles files = ModelFolder.open(folder)) {
      all.forEach((name, array) -> assertSameBits(array, files.weights().read(name)));
      assertArrayEquals(new long[] {2, 3}, files.weights().shape("a"));
    }

    for (String bad : List.of("../a.safetensors", "/etc/passwd", "model-9.safetensors", "a.bin")) {
      index.withObject("/weight_map").put("a", bad);
      JSON.writeValue(file.toFile(), index);
      String message =
          assertThrows(BadInputException.class, () -> ModelFolder.open(folder)).getMessage();
      System.out.println(message);
      assertTrue(message.contains(bad), message);
    }
    index.withObject("/weight_map").put("a", "model-00002-of-00003.safetensors");
    JSON.writeValue(file.toFile(), index);
    assertThrows(BadInputException.class, () -> ModelFolder.open(folder));
  }

  @Test
  void readsTensorsThatTheIndexOmits() throws IOException {
    INDArray a = Nd4j.ones(2, 3);
    SafeTensorsWriter.write(folder.resolve("1.safetensors"), Map.of("a", a, "b", a.add(1)));
    SafeTensorsWriter.write(folder.resolve("2.safetensors"), Map.of("a", a.add(2), "c", a.add(3)));
    Path index = folder.resolve(ModelFolder.INDEX);
    Files.writeString(
        index, "{'weight_map': {'a': '2.safetensors', 'b': '1.safetensors'}}".replace('\'', '"'));
    String said =
        Said.by(
            () -> {
              try (WeightSource weights = ModelFolder.weights(folder)) {
                assertSameBits(a.add(2), weights.read("a"));
                assertSameBits(a.add(3), weights.read("c"));
              }
            });
    assertTrue(said.contains("omits 1 of its files' tensors, c;"), said);
    Files.delete(folder.resolve("1.safetensors"));
    SafeTensorsWriter.write(folder.resolve("1.safetensors"), Map.of("b", a, "c", a));
    String message =
        assertThrows(BadInputException.class, () -> ModelFolder.weights(folder)).getMessage();
    assertTrue(message.contains("does not say which file has c"), message);
    SafeTensorsWriter.write(folder.resolve(ModelFolder.WEIGHTS), Map.of("a", a));
    said = Said.by(() -> ModelFolder.weights(folder).close());
    assertTrue(said.contains("has both model.safetensors and"), said);
  }

  /** Python's json writes and reads them. */
  @Test
  void readsAndWritesNonFiniteNumbers() throws IOException {
    Files.writeString(
        folder.resolve("config.json"), "{\"a\": [0.0, Infinity], \"b\": NaN, \"c\": -Infinity}");
    ObjectNode read = (ObjectNode) ModelFolder.config(folder);
    assertTrue(Double.isNaN(read.path("b").doubleValue()));
    ModelWriter.write(folder.resolve("x"), read, weights(1), TOKENIZER, List.of());
    assertEquals(read.get("a"), ModelFolder.config(folder.resolve("x")).get("a"));
  }

  /** As left by cloning a repository without Git LFS. */
  @Test
  void namesGitLfsPointers() throws IOException {
    for (String name : List.of("model.safetensors", "tokenizer.json")) {
      Path model = folder.resolve("lfs-" + name);
      ModelWriter.write(model, config("bert"), weights(1), TOKENIZER, List.of());
      String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90868376\n";
      Files.writeString(model.resolve(name), pointer);
      String message =
          assertThrows(BadInputException.class, () -> ModelFolder.open(model)).getMessage();
      assertTrue(message.contains(name + " is a Git LFS pointer"), message);
    }
  }

  @Test
  void namesMissingFiles() throws IOException {
    for (String missing : List.of("config.json", "tokenizer.json", "model.safetensors")) {
      Path model = folder.resolve("without-" + missing);
      ModelWriter.write(model, config("bert"), weights(1), TOKENIZER, List.of());
      Files.delete(model.resolve(missing));
      String message =
          assertThrows(BadInputException.class, () -> ModelFolder.open(model)).getMessage();
      assertTrue(message.contains(missing), message);
    }
    Path model = folder.resolve("broken");
    ModelWriter.write(model, config("bert"), weights(1), TOKENIZER, List.of());
    Files.writeString(model.resolve("config.json"), "{\"hidden");
    assertThrows(BadInputException.class, () -> ModelFolder.open(model));
  }

  private static List<String> entries(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}

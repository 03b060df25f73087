package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.files.ModelWriter.Storage;
import org.tokentune.formats.FloatType;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.SafeTensors;
import org.tokentune.formats.SafeTensorsWriter;
import org.tokentune.quantization.HalfPrecision;

class SafeTensorsExportTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path VECTORS =
      Path.of("../tokentune-samediff/src/test/resources/golden/embed-mean");

  @TempDir private Path folder;

  private static float[] values(INDArray array) {
    return array.dup('c').data().asFloat();
  }

  @ParameterizedTest
  @EnumSource(FloatType.class)
  void floatsAreRounded(FloatType type) throws IOException {
    Path to = folder.resolve("to");
    try (ModelFiles files = ModelFiles.open(VECTORS);
        SafeTensors own = SafeTensors.open(VECTORS.resolve("model.safetensors"))) {
      SafeTensorsExport.Written written = SafeTensorsExport.write(files, to, Storage.of(type));
      System.out.println(written);
      assertEquals(own.names().size(), written.tensors());
      assertEquals(1, written.files());
      try (ModelFiles again = ModelFiles.open(to)) {
        assertEquals(own.names(), again.weights().names());
        for (String name : own.names()) {
          float[] expected = values(own.read(name));
          for (int i = 0; i < expected.length; i++) {
            expected[i] = HalfPrecision.rounded(expected[i], type.torchName);
          }
          assertArrayEquals(expected, values(again.weights().read(name)), name);
          assertArrayEquals(own.shape(name), again.weights().shape(name));
        }
        assertEquals(type.torchName, again.config().path("dtype").asText());
      }
    }
    for (String file :
        List.of("modules.json", "1_Pooling/config.json", "config_sentence_transformers.json")) {
      assertEquals(-1, Files.mismatch(VECTORS.resolve(file), to.resolve(file)), file);
    }
    long expected = Files.size(VECTORS.resolve("model.safetensors")) * type.width / 4;
    long actual = Files.size(to.resolve("model.safetensors"));
    assertTrue(Math.abs(actual - expected) < 6000, actual + " bytes");
  }

  @Test
  void shardsHaveAnIndex() throws IOException {
    Path to = folder.resolve("to");
    try (ModelFiles files = ModelFiles.open(VECTORS)) {
      int shards = SafeTensorsExport.write(files, to, new Storage(FloatType.BF16, 8000)).files();
      System.out.println(shards + " files");
      assertTrue(shards > 2);
      JsonNode index = JSON.readTree(to.resolve("model.safetensors.index.json").toFile());
      assertEquals(files.weights().names().size(), index.path("weight_map").size());
      assertFalse(Files.exists(to.resolve("model.safetensors")));
      try (ModelFiles again = ModelFiles.open(to)) {
        assertEquals(files.weights().names(), again.weights().names());
      }
    }
  }

  /** A folder with one more tensor. */
  private Path withTensor(String name, INDArray added) throws IOException {
    Path model = Files.createDirectories(folder.resolve("model"));
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    try (SafeTensors own = SafeTensors.open(VECTORS.resolve("model.safetensors"))) {
      own.names().forEach(one -> tensors.put(one, own.read(one)));
    }
    tensors.put(name, added);
    SafeTensorsWriter.write(model.resolve("model.safetensors"), tensors);
    for (String file : List.of("config.json", "tokenizer.json")) {
      Files.copy(VECTORS.resolve(file), model.resolve(file));
    }
    return model;
  }

  @Test
  void wholeNumbersAreUnchanged() throws IOException {
    long[] ids = {0, 1, 1L << 40};
    Path to = folder.resolve("to");
    try (ModelFiles files =
        ModelFiles.open(withTensor("embeddings.position_ids", Nd4j.createFromArray(ids)))) {
      SafeTensorsExport.write(files, to, Storage.of(FloatType.F16));
    }
    try (SafeTensors again = SafeTensors.open(to.resolve("model.safetensors"))) {
      assertArrayEquals(ids, again.read("embeddings.position_ids").data().asLong());
    }
  }

  @Test
  void whatATypeCannotHoldIsRefused() throws IOException {
    Path model = withTensor("pooler.scale", Nd4j.createFromArray(1f, 70000f));
    Path to = folder.resolve("to");
    try (ModelFiles files = ModelFiles.open(model)) {
      String message =
          assertThrows(
                  BadInputException.class,
                  () -> SafeTensorsExport.write(files, to, Storage.of(FloatType.F16)))
              .getMessage();
      System.out.println(message);
      assertTrue(message.contains("pooler.scale"), message);
      assertFalse(Files.exists(to));
      SafeTensorsExport.write(files, to, Storage.of(FloatType.BF16));
    }
  }

  @Test
  void theModelItselfIsNotReplaced() throws IOException {
    Path model = withTensor("other", Nd4j.createFromArray(1f));
    try (ModelFiles files = ModelFiles.open(model);
        Stream<Path> before = Files.list(model)) {
      long count = before.count();
      Path same = model.resolve("..").resolve(model.getFileName());
      String message =
          assertThrows(
                  BadInputException.class,
                  () -> SafeTensorsExport.write(files, same, Storage.of(FloatType.F16)))
              .getMessage();
      System.out.println(message);
      assertThrows(BadInputException.class, () -> OnnxExport.write(files, same));
      try (Stream<Path> after = Files.list(model)) {
        assertEquals(count, after.count());
      }
    }
  }

  @Test
  void bytesOfQuantisedWeightsAreRefused() throws IOException {
    Path model = withTensor("layer.weight", Nd4j.createFromArray(new byte[] {1, 2}));
    try (ModelFiles files = ModelFiles.open(model)) {
      String message =
          assertThrows(
                  BadInputException.class,
                  () ->
                      SafeTensorsExport.write(
                          files, folder.resolve("to"), Storage.of(FloatType.F16)))
              .getMessage();
      System.out.println(message);
      assertTrue(message.contains("layer.weight"), message);
    }
  }
}

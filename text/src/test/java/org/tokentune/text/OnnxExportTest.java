package org.tokentune.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.OnnxWeights;
import org.tokentune.formats.SafeTensors;
import org.tokentune.onnx.OnnxValue;

/** onnxruntime computes with the files what transformers and sentence-transformers recorded. */
class OnnxExportTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");

  private static final String IDS = "input_ids";
  private static final String MASK = "attention_mask";
  private static final String TYPES = "token_type_ids";

  @TempDir private Path folder;

  /** Numbers of an output, and its shape. */
  private record Values(float[] values, long[] shape) {}

  /** A file in onnxruntime. */
  private static final class OnnxRuntime implements AutoCloseable {

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    OnnxRuntime(Path file) throws OrtException {
      session = environment.createSession(file.toString());
    }

    Map<String, Values> run(Map<String, long[][]> inputs) throws OrtException {
      Map<String, OnnxTensor> tensors = new HashMap<>();
      try {
        for (String name : session.getInputNames()) {
          tensors.put(name, OnnxTensor.createTensor(environment, inputs.get(name)));
        }
        Map<String, Values> outputs = new LinkedHashMap<>();
        try (OrtSession.Result result = session.run(tensors)) {
          for (Map.Entry<String, ai.onnxruntime.OnnxValue> output : result) {
            OnnxTensor tensor = (OnnxTensor) output.getValue();
            FloatBuffer buffer = tensor.getFloatBuffer();
            float[] values = new float[buffer.remaining()];
            buffer.get(values);
            outputs.put(output.getKey(), new Values(values, tensor.getInfo().getShape()));
          }
        }
        return outputs;
      } finally {
        tensors.values().forEach(OnnxTensor::close);
      }
    }

    @Override
    public void close() throws OrtException {
      session.close();
    }
  }

  /** A copy of a recorded model, with a tokenizer, which not all have. */
  private Path model(String name) throws IOException {
    Path model = Files.createDirectories(folder.resolve(name));
    try (Stream<Path> files = Files.walk(GOLDEN.resolve(name))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = model.resolve(GOLDEN.resolve(name).relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
    if (!Files.exists(model.resolve("tokenizer.json"))) {
      Files.copy(GOLDEN.resolve("embed-mean/tokenizer.json"), model.resolve("tokenizer.json"));
    }
    return model;
  }

  private List<OnnxValue> export(Path model, Path to) {
    try (ModelFiles files = ModelFiles.open(model)) {
      return OnnxExport.write(files, to);
    }
  }

  private static long[][] rows(SafeTensors tensors, String name) {
    try (INDArray array = tensors.read(name)) {
      return array.toLongMatrix();
    }
  }

  private static float[] floats(SafeTensors tensors, String name) {
    try (INDArray array = tensors.read(name)) {
      return array.dup('c').data().asFloat();
    }
  }

  private static Map<String, long[][]> inputs(SafeTensors tensors, String prefix) {
    Map<String, long[][]> inputs = new HashMap<>();
    for (String name : List.of(IDS, MASK, TYPES)) {
      if (tensors.names().contains(prefix + name)) {
        inputs.put(name, rows(tensors, prefix + name));
      }
    }
    long[][] ids = inputs.get(IDS);
    inputs.computeIfAbsent(TYPES, name -> new long[ids.length][ids[0].length]);
    return inputs;
  }

  /** The greatest difference where a token is not padding. */
  private static double difference(float[] expected, float[] actual, long[][] mask) {
    assertEquals(expected.length, actual.length);
    int width = mask == null ? 1 : expected.length / mask.length / mask[0].length;
    double greatest = 0;
    for (int i = 0; i < expected.length; i++) {
      int token = i / width;
      if (mask == null || mask[token / mask[0].length][token % mask[0].length] == 1) {
        greatest = Math.max(greatest, Math.abs(expected[i] - actual[i]));
      }
    }
    return greatest;
  }

  @ParameterizedTest
  @CsvSource({
    "bert, classify",
    "bert-regression, regress-tokentune",
    "bert-mlm, mlm",
    "bert-mlm-untied, mlm",
    "distilbert, classify-tokentune",
    "distilbert-mlm, mlm",
    "roberta, classify-tokentune",
    "xlm-roberta, classify-tokentune",
    "mpnet, classify-tokentune",
    "mpnet-mlm, mlm",
    "electra, classify-tokentune",
    "electra-mlm, mlm",
    "deberta-v3, classify-tokentune",
    "deberta-mlm, mlm",
    "modernbert, classify-tokentune",
    "modernbert-mlm, mlm-tokentune",
  })
  void logitsAreThoseOfTransformers(String name, String file) throws IOException, OrtException {
    Path to = folder.resolve("onnx");
    List<OnnxValue> outputs = export(model(name), to);
    assertEquals("logits", outputs.get(0).name());
    try (SafeTensors recorded =
            SafeTensors.open(GOLDEN.resolve(name).resolve(file + ".safetensors"));
        OnnxRuntime runtime = new OnnxRuntime(to.resolve(OnnxExport.FILE))) {
      Map<String, long[][]> inputs = inputs(recorded, "");
      Values logits = runtime.run(inputs).get("logits");
      double difference =
          difference(
              floats(recorded, "logits"),
              logits.values(),
              logits.shape().length == 3 ? inputs.get(MASK) : null);
      System.out.printf("%s %s: %.1e%n", name, runtime.session.getInputNames(), difference);
      assertEquals(
          name.startsWith("bert")
              || name.startsWith("electra"), // RoBERTa has one type, as in Optimum
          runtime.session.getInputNames().contains(TYPES) || name.equals("bert-mlm-untied"));
      assertTrue(difference < 1e-5);
      assertSameInAnyBatch(runtime, inputs, "logits");
    }
  }

  /** Every row by itself, without its padding, and beside a row that is all padding. */
  private static void assertSameInAnyBatch(
      OnnxRuntime runtime, Map<String, long[][]> inputs, String output) throws OrtException {
    Values all = runtime.run(inputs).get(output);
    int rows = inputs.get(IDS).length;
    int size = all.values().length / rows;
    double greatest = 0;
    for (int row = 0; row < rows; row++) {
      int length = (int) Arrays.stream(inputs.get(MASK)[row]).sum();
      Map<String, long[][]> alone = new HashMap<>();
      Map<String, long[][]> beside = new HashMap<>();
      for (Map.Entry<String, long[][]> input : inputs.entrySet()) {
        long[] own = input.getValue()[row];
        alone.put(input.getKey(), new long[][] {Arrays.copyOf(own, length)});
        beside.put(input.getKey(), new long[][] {own, new long[own.length]});
      }
      float[] one = runtime.run(alone).get(output).values();
      float[] other = runtime.run(beside).get(output).values();
      for (int i = 0; i < one.length; i++) {
        float expected = all.values()[row * size + i];
        greatest = Math.max(greatest, Math.abs(expected - one[i]));
        greatest = Math.max(greatest, Math.abs(expected - other[i]));
      }
      for (float value : other) {
        assertTrue(Float.isFinite(value), "a row that is all padding");
      }
    }
    System.out.printf("  alone and beside padding: %.1e%n", greatest);
    assertTrue(greatest < 1e-5);
  }

  @Test
  void answersHaveStartsAndEnds() throws IOException, OrtException {
    Path to = folder.resolve("onnx");
    export(model("bert-qa"), to);
    try (SafeTensors recorded = SafeTensors.open(GOLDEN.resolve("bert-qa/answers.safetensors"));
        OnnxRuntime runtime = new OnnxRuntime(to.resolve(OnnxExport.FILE))) {
      Map<String, long[][]> inputs = inputs(recorded, "");
      Map<String, Values> outputs = runtime.run(inputs);
      assertEquals(List.of("start_logits", "end_logits"), List.copyOf(outputs.keySet()));
      float[] logits = floats(recorded, "logits"); // [batch, length, 2]
      int column = 0;
      for (Values output : outputs.values()) {
        float[] expected = new float[logits.length / 2];
        for (int i = 0; i < expected.length; i++) {
          expected[i] = logits[2 * i + column];
        }
        double difference = difference(expected, output.values(), inputs.get(MASK));
        System.out.printf("column %d: %.1e%n", column, difference);
        assertTrue(difference < 1e-5);
        column++;
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"embed-mean, cosine", "embed-cls, triplet"})
  void vectorsAreThoseOfSentenceTransformers(String name, String file)
      throws IOException, OrtException {
    Path to = folder.resolve("onnx");
    List<OnnxValue> outputs = export(model(name), to);
    assertEquals(
        List.of("last_hidden_state", "sentence_embedding"),
        outputs.stream().map(OnnxValue::name).toList());
    for (String beside : List.of("config.json", "tokenizer.json", "modules.json")) {
      assertTrue(Files.exists(to.resolve(beside)), beside);
    }
    assertFalse(Files.exists(to.resolve("model.onnx_data")));
    try (SafeTensors recorded =
            SafeTensors.open(GOLDEN.resolve(name).resolve(file + ".safetensors"));
        OnnxRuntime runtime = new OnnxRuntime(to.resolve(OnnxExport.FILE))) {
      for (String column : List.of("anchor.", "positive.")) {
        Map<String, long[][]> inputs = inputs(recorded, column);
        Map<String, Values> result = runtime.run(inputs);
        long[][] ids = inputs.get(IDS);
        assertEquals(
            List.of((long) ids.length, (long) ids[0].length, 32L),
            Arrays.stream(result.get("last_hidden_state").shape()).boxed().toList());
        double difference =
            difference(
                floats(recorded, column + "embedding"),
                result.get("sentence_embedding").values(),
                null);
        System.out.printf("%s %s: %.1e%n", name, column, difference);
        assertTrue(difference < 1e-5);
        assertSameInAnyBatch(runtime, inputs, "sentence_embedding");
      }
    }
  }

  /** The vectors of what sentence-transformers recorded with other poolings. */
  @ParameterizedTest
  @CsvSource({"lasttoken", "max"})
  void poolings(String pooling) throws IOException, OrtException {
    Path model = model("embed-mean");
    Files.writeString(
        model.resolve("1_Pooling/config.json"),
        "{\"embedding_dimension\": 32, \"pooling_mode\": \"" + pooling + "\"}");
    Path to = folder.resolve("onnx");
    export(model, to);
    try (SafeTensors recorded =
            SafeTensors.open(GOLDEN.resolve("embed-poolings/" + pooling + ".safetensors"));
        OnnxRuntime runtime = new OnnxRuntime(to.resolve(OnnxExport.FILE))) {
      Map<String, long[][]> inputs = inputs(recorded, "anchor.");
      double difference =
          difference(
              floats(recorded, "anchor.embedding"),
              runtime.run(inputs).get("sentence_embedding").values(),
              null);
      System.out.printf("%s: %.1e%n", pooling, difference);
      assertTrue(difference < 1e-5);
    }
  }

  /** A number of tokens for which a table of distances has no entry is refused, not misread. */
  @Test
  void tooLongTextsAreRefused() throws IOException, OrtException {
    Path to = folder.resolve("onnx");
    Path model = model("deberta-v3");
    int most;
    try (ModelFiles files = ModelFiles.open(model)) {
      most = files.config().path("max_position_embeddings").intValue();
      OnnxExport.write(files, to);
    }
    Random random = new Random(1);
    try (OnnxRuntime runtime = new OnnxRuntime(to.resolve(OnnxExport.FILE))) {
      for (int length : new int[] {most, most + 1}) {
        long[][] ids = {random.longs(length, 5, 20).toArray()};
        long[][] mask = {random.longs(length, 1, 2).toArray()};
        Map<String, long[][]> inputs = Map.of(IDS, ids, MASK, mask);
        if (length == most) {
          assertEquals(3, runtime.run(inputs).get("logits").values().length);
        } else {
          String message = assertThrows(OrtException.class, () -> runtime.run(inputs)).getMessage();
          System.out.println(message);
          assertTrue(message.contains("out of data bounds"), message);
        }
      }
    }
  }

  /** Weights keep their names, and are read back by them. */
  @Test
  void weightsKeepTheirNames() throws IOException {
    Path model = model("bert");
    Path to = folder.resolve("onnx");
    export(model, to);
    OnnxWeights weights;
    try (var in = Files.newInputStream(to.resolve(OnnxExport.FILE))) {
      weights = OnnxWeights.read(in, "model.onnx");
    }
    List<String> missing = new ArrayList<>();
    try (ModelFiles files = ModelFiles.open(model)) {
      for (String name : files.weights().names()) {
        if (!weights.names().contains(name)) {
          missing.add(name);
        } else {
          assertEquals(files.weights().read(name), weights.read(name));
        }
      }
    }
    System.out.println("not in the file: " + missing);
    assertEquals(List.of(), missing);
  }

  @Test
  void decodersAreRefused() throws IOException {
    Path model = model("llama");
    String message =
        assertThrows(BadInputException.class, () -> export(model, folder.resolve("onnx")))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains("only encoders"), message);
    assertFalse(Files.exists(folder.resolve("onnx")));
  }
}

package org.tokentune.zoo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.models.Bert;
import org.tokentune.models.BertConfig;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.Task;

class ZooTest {

  private static final int[] LENGTHS = {31, 3, 12, 20, 7};

  @ParameterizedTest
  @ValueSource(strings = {"all-minilm-l6-v2", "bge-small-en-v1.5", "e5-small-v2"})
  void equalsOnnxRuntime(String name) throws IOException, OrtException {
    int length = 31;
    long[][] ids = new long[LENGTHS.length][length];
    long[][] mask = new long[LENGTHS.length][length];
    Random random = new Random(5);
    for (int row = 0; row < LENGTHS.length; row++) {
      for (int i = 0; i < LENGTHS[row]; i++) {
        ids[row][i] = i == 0 ? 101 : i == LENGTHS[row] - 1 ? 102 : 1000 + random.nextInt(28000);
        mask[row][i] = 1;
      }
    }
    int layers;
    INDArray actual;
    try (ModelFiles model = Zoo.load(name)) {
      BertConfig config = BertConfig.read(model.config(), name);
      layers = config.layers();
      Bert bert = new Bert(config, new Head(Task.CLASSIFY, 2, Pooling.MEAN));
      ModelGraph graph =
          bert.build(
              ParameterLoader.loadEncoder(bert, model.weights(), 1), GraphOptions.inference());
      Map<String, INDArray> inputs = new HashMap<>();
      inputs.put("input_ids", ints(ids));
      inputs.put("attention_mask", ints(mask));
      inputs.put("token_type_ids", ints(new long[LENGTHS.length][length]));
      actual = graph.sd().output(inputs, ModelGraph.hidden(layers)).get(ModelGraph.hidden(layers));
    }
    float[][][] expected = onnxRuntime(name, ids, mask);
    double worst = 0;
    for (int row = 0; row < LENGTHS.length; row++) {
      for (int i = 0; i < LENGTHS[row]; i++) {
        for (int c = 0; c < 384; c++) {
          double difference = Math.abs(expected[row][i][c] - actual.getFloat(row * length + i, c));
          worst = Math.max(worst, difference);
        }
      }
    }
    System.out.printf(
        "%s, %d layers: hidden states differ from ONNX Runtime's by at most %.1e%n",
        name, layers, worst);
    assertTrue(worst < 1e-4);
  }

  private static INDArray ints(long[][] values) {
    int[][] ints = new int[values.length][];
    for (int row = 0; row < ints.length; row++) {
      ints[row] = java.util.Arrays.stream(values[row]).mapToInt(Math::toIntExact).toArray();
    }
    return Nd4j.createFromArray(ints);
  }

  private static float[][][] onnxRuntime(String name, long[][] ids, long[][] mask)
      throws IOException, OrtException {
    byte[] onnx;
    JsonNode catalogue =
        new ObjectMapper().readTree(Zoo.class.getResourceAsStream("catalogue.json"));
    JsonNode model =
        java.util.stream.StreamSupport.stream(catalogue.spliterator(), false)
            .filter(m -> m.get("name").asText().equals(name))
            .findFirst()
            .orElseThrow();
    String entry = model.get("weights").asText();
    try (ZipFile jar =
        new ZipFile(new Artifact(model.get("artifact").asText()).jar(entry).toFile())) {
      onnx = jar.getInputStream(jar.getEntry(entry)).readAllBytes();
    }
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession session = environment.createSession(onnx);
        OnnxTensor idTensor = OnnxTensor.createTensor(environment, ids);
        OnnxTensor maskTensor = OnnxTensor.createTensor(environment, mask);
        OnnxTensor types =
            OnnxTensor.createTensor(environment, new long[ids.length][ids[0].length]);
        OrtSession.Result result =
            session.run(
                Map.of(
                    "input_ids",
                    idTensor,
                    "attention_mask",
                    maskTensor,
                    "token_type_ids",
                    types))) {
      return (float[][][]) result.get(0).getValue();
    }
  }

  @Test
  void unknownNamesAreAnswered() {
    String message =
        assertThrows(BadInputException.class, () -> Zoo.load("bert-tiny")).getMessage();
    assertTrue(message.contains("bert-tiny") && message.contains("e5-small-v2"));
    assertEquals(3, Zoo.names().size());
  }
}

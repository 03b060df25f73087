package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.checkpoint.SafeTensors;
import org.tokentune.nn.Parameters;
import org.tokentune.train.SameDiffEngine;

/** The same weights give the hidden states, logits, losses and gradients that PyTorch gave. */
class BertParityTest {

  private static final double TOLERANCE = 1e-5;
  private static final Path GOLDEN = Path.of("src/test/resources/golden");

  @ParameterizedTest
  @CsvSource({
    "bert, classify, CLASSIFY, 3, FIRST",
    "bert, classify-tokentune, CLASSIFY, 3, FIRST",
    "bert, classify-mean, CLASSIFY, 3, MEAN",
    "bert, classify-mean-tokentune, CLASSIFY, 3, MEAN",
    "bert-regression, regress-tokentune, REGRESS, 1, FIRST",
    "bert-mlm, mlm, MASKED_LM, 96, FIRST",
    "bert-mlm, mlm-tokentune, MASKED_LM, 96, FIRST"
  })
  void equalsPyTorch(String folder, String name, Task task, int outputs, Pooling pooling)
      throws IOException {
    Path config = GOLDEN.resolve(folder).resolve("config.json");
    BertConfig sizes =
        BertConfig.read(new ObjectMapper().readTree(config.toFile()), config.toString())
            .withDropout(0);
    Bert bert = new Bert(sizes, new Head(task, outputs, pooling));
    Map<String, INDArray> golden = tensors(GOLDEN.resolve(folder).resolve(name + ".safetensors"));
    Map<String, INDArray> weights = tensors(GOLDEN.resolve(folder).resolve("model.safetensors"));
    Parameters parameters = new Parameters(weights);
    assertEquals(
        bert.parameters().keySet().stream().sorted().toList(),
        weights.keySet().stream().sorted().toList());

    boolean split = golden.containsKey("selected");
    GraphOptions options = GraphOptions.training(split, p -> true);
    Map<String, INDArray> inputs = inputs(golden, task);
    SameDiffEngine.Result step =
        new SameDiffEngine(bert.build(parameters, options)).run(inputs, List.of("logits"));
    double scale = 0;
    for (String key : golden.keySet()) {
      if (key.startsWith("grad.")) {
        scale = Math.max(scale, golden.get(key).amaxNumber().doubleValue());
      }
    }
    double worst = error(golden.get("loss"), Nd4j.scalar((float) step.loss()), 0);
    int gradients = 0;
    for (Map.Entry<String, INDArray> expected : golden.entrySet()) {
      if (expected.getKey().startsWith("grad.")) {
        INDArray actual = step.gradients().get(expected.getKey().substring(5));
        double error = error(expected.getValue(), actual, 1e-4 * scale);
        assertTrue(error <= TOLERANCE, expected.getKey() + " " + error);
        worst = Math.max(worst, error);
        gradients++;
      }
    }
    assertEquals(step.gradients().size(), gradients);
    if (!bert.head().perToken()) {
      worst = Math.max(worst, error(golden.get("logits"), step.outputs().get("logits"), 0));
    }
    worst = Math.max(worst, hidden(bert, parameters, options, golden, inputs));
    System.out.printf(
        "%-17s %-25s %d gradients, largest error %.1e%n", folder, name, gradients, worst);
    assertTrue(worst <= TOLERANCE, name + " " + worst);
  }

  private static double hidden(
      Bert bert,
      Parameters parameters,
      GraphOptions options,
      Map<String, INDArray> golden,
      Map<String, INDArray> inputs) {
    int layers = bert.config().layers();
    List<String> names = new ArrayList<>();
    for (int i = 0; i <= layers; i++) {
      names.add(ModelGraph.hidden(i));
      if (options.split() && i < layers) {
        names.add(ModelGraph.frozenHidden(i));
      }
    }
    ModelGraph graph = bert.build(parameters, options.withAllRows());
    Map<String, INDArray> states = graph.sd().output(inputs, names);
    INDArray mask = inputs.get("attention_mask");
    double worst = 0;
    for (int layer = 0; layer <= layers; layer++) {
      INDArray expected = golden.get("hidden." + layer);
      double scale = expected.amaxNumber().doubleValue();
      int compared = 0;
      for (String stream : options.split() ? List.of("selected", "frozen") : List.of("all")) {
        String name =
            stream.equals("frozen") ? ModelGraph.frozenHidden(layer) : ModelGraph.hidden(layer);
        INDArray rows = states.get(name);
        if (rows == null) {
          continue;
        }
        int batch = (int) mask.size(0);
        int count = (int) (rows.size(0) / batch);
        for (int b = 0; b < batch; b++) {
          for (int i = 0; i < count; i++) {
            int position = stream.equals("all") ? i : inputs.get(stream).getInt(b, i);
            if (mask.getInt(b, position) == 1) {
              INDArray difference =
                  rows.getRow((long) b * count + i)
                      .sub(expected.get(Nd4jRow.at(b), Nd4jRow.at(position), Nd4jRow.all()));
              worst = Math.max(worst, difference.amaxNumber().doubleValue() / scale);
              compared++;
            }
          }
        }
      }
      assertTrue(compared > 0);
    }
    return worst;
  }

  private static final class Nd4jRow {
    static org.nd4j.linalg.indexing.INDArrayIndex at(long i) {
      return org.nd4j.linalg.indexing.NDArrayIndex.point(i);
    }

    static org.nd4j.linalg.indexing.INDArrayIndex all() {
      return org.nd4j.linalg.indexing.NDArrayIndex.all();
    }
  }

  private static double error(INDArray expected, INDArray actual, double floor) {
    assertEquals(expected.length(), actual.length());
    double difference = expected.reshape(-1).sub(actual.reshape(-1)).amaxNumber().doubleValue();
    return difference / Math.max(floor, expected.amaxNumber().doubleValue());
  }

  private static Map<String, INDArray> inputs(Map<String, INDArray> golden, Task task) {
    Map<String, INDArray> inputs = new HashMap<>();
    for (String name : List.of("input_ids", "attention_mask", "token_type_ids")) {
      inputs.put(name, golden.get(name).castTo(DataType.INT32));
    }
    INDArray labels = golden.get("labels");
    inputs.put(
        "labels", task == Task.REGRESS ? labels.reshape(-1, 1) : labels.castTo(DataType.INT32));
    INDArray selected = golden.get("selected");
    if (selected != null) {
      int batch = (int) selected.size(0);
      int length = (int) inputs.get("input_ids").size(1);
      int[][] frozen = new int[batch][];
      for (int b = 0; b < batch; b++) {
        List<Integer> rest = new ArrayList<>();
        for (int i = 0; i < length; i++) {
          rest.add(i);
        }
        for (int i = 0; i < selected.size(1); i++) {
          rest.remove(Integer.valueOf(selected.getInt(b, i)));
        }
        frozen[b] = rest.stream().mapToInt(Integer::intValue).toArray();
      }
      inputs.put("selected", selected.castTo(DataType.INT32));
      inputs.put("frozen", Nd4j.createFromArray(frozen));
    }
    return inputs;
  }

  private static Map<String, INDArray> tensors(Path file) {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    try (SafeTensors source = SafeTensors.open(file)) {
      source.names().forEach(name -> tensors.put(name, source.read(name)));
    }
    return tensors;
  }
}

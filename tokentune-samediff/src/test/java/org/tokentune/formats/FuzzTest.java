package org.tokentune.formats;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import onnx.Onnx;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.files.Checkpoints;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.testing.Digests;
import org.tokentune.testing.Fuzz;
import org.tokentune.testing.Mutation;

/** Fuzzes weights, configurations and adapters; acceptance/fuzz.sh runs more cases. */
class FuzzTest {

  private static final Path RESOURCES = Path.of("src/test/resources");
  private static final List<Mutation.Maker> BINARY = List.of(Mutation::binary);
  private static final List<Mutation.Maker> JSON = List.of(Mutation::json);

  @TempDir private Path temp;

  private Fuzz fuzz() {
    return new Fuzz(temp.resolve("fuzzed"), BadInputException.class);
  }

  private static Map<String, String> digests(Map<String, INDArray> arrays) {
    Map<String, String> digests = new TreeMap<>();
    arrays.forEach((name, array) -> digests.put(name, Digests.of(array)));
    return digests;
  }

  private static Map<String, String> digests(WeightSource source) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    source.names().forEach(name -> arrays.put(name, source.read(name)));
    return digests(arrays);
  }

  private byte[] safeTensors() throws IOException {
    Path file = temp.resolve("valid.safetensors");
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    tensors.put("a.weight", Nd4j.linspace(1, 6, 6).castTo(Nd4j.dataType()).reshape(2, 3));
    tensors.put("b", Nd4j.scalar(2f));
    tensors.put("c", Nd4j.create(new float[] {1e-6f, -3}));
    SafeTensorsWriter.write(file, tensors);
    return Files.readAllBytes(file);
  }

  @Test
  void safeTensorsFiles() throws Exception {
    fuzz()
        .with("x.safetensors", safeTensors())
        .run(
            "x.safetensors",
            folder -> {
              try (SafeTensors tensors = SafeTensors.open(folder.resolve("x.safetensors"))) {
                return digests(tensors);
              }
            },
            List.of(Mutation::binary, Mutation::safeTensorsHeader));
  }

  @Test
  void indexesOfShards() throws Exception {
    fuzz()
        .with("model-00001-of-00001.safetensors", safeTensors())
        .with(
            ModelFolder.INDEX,
            ("{\"metadata\":{\"total_size\":36},\"weight_map\":{\"a.weight\":\"%1$s\",\"b\":\"%1$s\","
                    + "\"c\":\"%1$s\"}}")
                .formatted("model-00001-of-00001.safetensors")
                .getBytes(StandardCharsets.UTF_8))
        .run(
            ModelFolder.INDEX,
            folder -> {
              try (WeightSource tensors =
                  ShardedSafeTensors.open(folder.resolve(ModelFolder.INDEX))) {
                return digests(tensors);
              }
            },
            JSON);
  }

  @Test
  void ggufFiles() throws Exception {
    for (String name : List.of("tiny-f32.gguf", "tiny-q8_0.gguf")) {
      fuzz()
          .with(name, RESOURCES.resolve("golden/gguf").resolve(name))
          .run(
              name,
              folder -> {
                try (Gguf gguf = Gguf.open(folder.resolve(name))) {
                  ModelConfig.read(gguf.config(), gguf.origin());
                  return List.of(gguf.config(), gguf.vocabulary().tokens(), digests(gguf));
                }
              },
              List.of(FuzzTest::cutTensors, FuzzTest::front),
              "3:183");
    }
  }

  /** Most of the file is tensor data, where damage cannot be detected. */
  private static Mutation front(byte[] valid, Random random) {
    byte[] front = Arrays.copyOf(valid, Math.min(valid.length, 8_000));
    Mutation mutation = Mutation.bytes(front, random);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(mutation.bytes());
    all.write(valid, front.length, valid.length - front.length);
    return new Mutation(mutation.what(), all.toByteArray(), false);
  }

  private static Mutation cutTensors(byte[] valid, Random random) {
    return new Mutation("cut", Arrays.copyOf(valid, random.nextInt(valid.length)), true);
  }

  @Test
  void llama2cFiles() throws Exception {
    fuzz()
        .with("x.bin", Llama2cTest.example())
        .run(
            "x.bin",
            folder -> {
              try (Llama2c model = Llama2c.open(folder.resolve("x.bin"))) {
                ModelConfig.read(model.config(), model.origin());
                return List.of(model.config(), digests(model));
              }
            },
            BINARY);
  }

  @Test
  void tensorFlowBundles() throws Exception {
    String index = "bert_model.ckpt.index";
    String data = "bert_model.ckpt.data-00000-of-00001";
    TensorBundleTest.writeExample(temp);
    Fuzz fuzz = fuzz().with(index, temp.resolve(index)).with(data, temp.resolve(data));
    for (String file : List.of(index, data)) {
      fuzz.run(
          file,
          folder -> {
            try (TensorBundle bundle = TensorBundle.open(folder.resolve(index))) {
              return digests(bundle);
            }
          },
          BINARY);
    }
  }

  @Test
  void onnxFiles() throws Exception {
    Onnx.GraphProto.Builder graph = Onnx.GraphProto.newBuilder();
    for (String name : List.of("encoder.layer.0.output.dense.bias", "onnx::MatMul_7")) {
      graph.addInitializer(
          Onnx.TensorProto.newBuilder()
              .setName(name)
              .setDataType(Onnx.TensorProto.DataType.FLOAT_VALUE)
              .addDims(2)
              .addDims(2)
              .addAllFloatData(List.of(1f, 2f, 3f, 4f)));
    }
    graph.addNode(
        Onnx.NodeProto.newBuilder()
            .setOpType("MatMul")
            .setName("/encoder/layer.0/output/dense/MatMul")
            .addInput("x")
            .addInput("onnx::MatMul_7"));
    fuzz()
        .with("x.onnx", Onnx.ModelProto.newBuilder().setGraph(graph).build().toByteArray())
        .run(
            "x.onnx",
            folder -> {
              byte[] bytes = Files.readAllBytes(folder.resolve("x.onnx"));
              try (WeightSource weights =
                  OnnxWeights.read(new ByteArrayInputStream(bytes), "x.onnx")) {
                return digests(weights);
              }
            },
            List.of(Mutation::bytes),
            "7:359");
  }

  private static Object loaded(Path folder) {
    try (ModelFiles files = ModelFolder.open(folder)) {
      ModelConfig config = ModelConfig.read(files.config(), files.name());
      TransformerModel model =
          config.model(
              new Head(
                  config.causal() ? Objectives.CAUSAL_LM : Objectives.FEATURE_EXTRACTION,
                  config.causal() ? config.vocabulary() : config.hidden(),
                  Pooling.FIRST));
      Parameters parameters = ParameterLoader.load(model, files.weights());
      return List.of(config, digests(parameters.asMap()));
    }
  }

  @Test
  void configurations() throws Exception {
    for (String name : List.of("bert", "roberta", "distilbert", "gpt2", "llama", "mistral")) {
      Path folder = RESOURCES.resolve("golden").resolve(name);
      fuzz()
          .with("config.json", folder.resolve("config.json"))
          .with("model.safetensors", folder.resolve("model.safetensors"))
          .with("tokenizer.json", "{}".getBytes(StandardCharsets.UTF_8))
          .run("config.json", FuzzTest::loaded, JSON);
    }
  }

  /** A checksum covers every byte, so all damage is detected. */
  @Test
  void trainingCheckpoints() throws Exception {
    Path step = temp.resolve("checkpoints/step-00000010");
    Map<String, INDArray> tensors = Map.of("a", Nd4j.create(new float[] {1, 2, 3}));
    new Checkpoints(temp.resolve("checkpoints"), 1)
        .write(10, JsonNodeFactory.instance.objectNode().put("step", 10), Map.of("best", tensors));
    Fuzz fuzz = fuzz();
    for (String file : List.of("state.json", "best.safetensors")) {
      fuzz.with(file, step.resolve(file));
    }
    for (String file : List.of("state.json", "best.safetensors")) {
      fuzz.run(
          file,
          folder ->
              List.of(
                  Checkpoints.state(folder), digests(Checkpoints.tensors(folder, "best").get())),
          List.of(
              (valid, random) -> {
                Mutation mutation = Mutation.bytes(valid, random);
                return new Mutation(mutation.what(), mutation.bytes(), true);
              }));
    }
  }

  private static Object adapted(Path folder) {
    try (ModelFiles files = ModelFolder.open(folder.resolve("base"));
        AdapterFolder adapters = AdapterFolder.open(folder)) {
      ModelConfig config = ModelConfig.read(files.config(), files.name());
      TransformerModel model =
          config.model(new Head(Objectives.CAUSAL_LM, config.vocabulary(), Pooling.FIRST));
      Parameters parameters = ParameterLoader.load(model, files.weights());
      var adapter = adapters.read(model, parameters);
      String layer = adapter.model().layers().get(0);
      return List.of(adapter.model().lora().scale(layer), digests(adapter.parameters().asMap()));
    }
  }

  @Test
  void adapters() throws Exception {
    Path base = RESOURCES.resolve("peft/llama");
    Path adapters = RESOURCES.resolve("peft/plain");
    Fuzz fuzz =
        fuzz()
            .with("base/config.json", base.resolve("config.json"))
            .with("base/model.safetensors", base.resolve("model.safetensors"))
            .with("base/tokenizer.json", "{}".getBytes(StandardCharsets.UTF_8))
            .with("adapter_config.json", adapters.resolve("adapter_config.json"))
            .with("adapter_model.safetensors", adapters.resolve("adapter_model.safetensors"));
    fuzz.run("adapter_config.json", FuzzTest::adapted, JSON, "7:827");
    fuzz.run(
        "adapter_model.safetensors",
        FuzzTest::adapted,
        List.of(Mutation::binary, Mutation::safeTensorsHeader));
  }
}

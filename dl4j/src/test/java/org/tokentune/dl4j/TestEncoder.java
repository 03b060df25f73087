package org.tokentune.dl4j;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.EncoderConfig;
import org.tokentune.models.Head;
import org.tokentune.models.Pooling;
import org.tokentune.objectives.Objectives;

/** Small encoders, networks of them and batches for them. */
final class TestEncoder {

  static final int CLASSES = 3;
  static final long SEED = 7;

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");

  private TestEncoder() {}

  /** BERT's golden weights, without or with dropout. */
  static ModelFiles golden(double dropout) {
    return new ModelFiles("golden", config(dropout), ModelFolder.weights(GOLDEN), null);
  }

  /** A golden model, copied to a folder that has a tokenizer as well. */
  static ModelFiles copied(Path golden, Path folder) {
    try {
      Files.copy(golden.resolve("config.json"), folder.resolve("config.json"));
      Files.copy(golden.resolve("model.safetensors"), folder.resolve("model.safetensors"));
      Files.copy(
          Path.of("../datasets/src/test/resources/tokenizer.json"),
          folder.resolve("tokenizer.json"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ModelFolder.open(folder);
  }

  private static ObjectNode config(double dropout) {
    ObjectNode config = (ObjectNode) ModelFolder.config(GOLDEN);
    config.put("hidden_dropout_prob", dropout);
    config.put("attention_probs_dropout_prob", dropout);
    return config;
  }

  /** Another model, of random weights. */
  static ModelFiles random() {
    return random(config(0).get("vocab_size").asInt());
  }

  /** The same with a vocabulary of another size. */
  static ModelFiles random(int vocabulary) {
    ObjectNode config = config(0).put("vocab_size", vocabulary);
    config.put("hidden_size", 24).put("num_attention_heads", 2).put("num_hidden_layers", 2);
    return new ModelFiles("random", config, randomWeights(config), null);
  }

  private static WeightSource randomWeights(ObjectNode json) {
    EncoderConfig config = EncoderConfig.read(json, "random");
    Random random = new Random(3);
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    config
        .model(new Head(Objectives.CLASSIFY, CLASSES, Pooling.FIRST))
        .parameters()
        .forEach(
            (name, shape) -> {
              INDArray array = Nd4j.create(DataType.FLOAT, shape);
              for (long i = 0; i < array.length(); i++) {
                array.putScalar(i, random.nextGaussian() * 0.2);
              }
              arrays.put(name, array);
            });
    return new Held(arrays);
  }

  private record Held(Map<String, INDArray> arrays) implements WeightSource {

    @Override
    public Set<String> names() {
      return arrays.keySet();
    }

    @Override
    public long[] shape(String name) {
      return arrays.get(name).shape();
    }

    @Override
    public INDArray read(String name) {
      return arrays.get(name).dup();
    }

    @Override
    public String origin() {
      return "memory";
    }

    @Override
    public void close() {
      // nothing is open
    }
  }

  /** The same, trained by Adam. */
  static ComputationGraph classifier(ModelFiles files, Pooling pooling, String tokens) {
    return classifier(
        files, pooling, tokens, new NeuralNetConfiguration.Builder().updater(new Adam(1e-3)));
  }

  /** The same under a vertex of any kind. */
  static ComputationGraph classifier(ModelFiles files, EncoderVertex vertex) {
    return classifier(files, vertex, new NeuralNetConfiguration.Builder().updater(new Adam(1e-3)));
  }

  /** The encoder under an output layer with the weights of the model's own classifier. */
  static ComputationGraph classifier(
      ModelFiles files, Pooling pooling, String tokens, NeuralNetConfiguration.Builder builder) {
    return classifier(files, EncoderVertex.of(files, pooling, tokens, 1, SEED), builder);
  }

  private static ComputationGraph classifier(
      ModelFiles files, EncoderVertex vertex, NeuralNetConfiguration.Builder builder) {
    ComputationGraph net =
        new ComputationGraph(
            builder
                .seed(1)
                .graphBuilder()
                .addInputs("ids", "mask", "types")
                .addVertex("encoder", vertex, "ids", "mask", "types")
                .addLayer(
                    "output",
                    new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(files.config().get("hidden_size").asInt())
                        .nOut(CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build(),
                    "encoder")
                .setOutputs("output")
                .build());
    net.init();
    net.getParam("output_W").assign(files.weights().read("classifier.weight").transpose());
    net.getParam("output_b").assign(files.weights().read("classifier.bias"));
    return net;
  }

  /** Texts of several lengths whose class is the range that their ids are in. */
  static MultiDataSet batch(int number) {
    return batch(number, 9 + new SplittableRandom(number).nextInt(3) * 2);
  }

  /** The same of a length. */
  static MultiDataSet batch(int number, int length) {
    SplittableRandom random = new SplittableRandom(number);
    random.nextInt(3);
    int rows = 4;
    int[][] ids = new int[rows][length];
    int[][] mask = new int[rows][length];
    int[][] types = new int[rows][length];
    float[][] labels = new float[rows][CLASSES];
    for (int row = 0; row < rows; row++) {
      int tokens = row == 0 ? length : 2 + random.nextInt(length - 1);
      int label = random.nextInt(CLASSES);
      labels[row][label] = 1;
      for (int i = 0; i < tokens; i++) {
        ids[row][i] = 3 + 20 * label + random.nextInt(20);
        mask[row][i] = 1;
        types[row][i] = i < tokens / 2 ? 0 : 1;
      }
    }
    return new MultiDataSet(
        new INDArray[] {
          Nd4j.createFromArray(ids), Nd4j.createFromArray(mask), Nd4j.createFromArray(types)
        },
        new INDArray[] {Nd4j.createFromArray(labels)});
  }
}

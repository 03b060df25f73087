package org.tokentune.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensorsWriter;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.EncoderConfig;
import org.tokentune.models.Head;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.objectives.Objectives;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.train.MemorySettings;

/** Networks that DL4J reads give the logits of the models that they are made of. */
class ClassifierNetworkTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");
  private static final int[] LENGTHS = {9, 5, 1};

  @TempDir private Path folder;

  private static ModelFiles files(String name, ObjectNode config) {
    return new ModelFiles(name, config, ModelFolder.weights(GOLDEN.resolve(name)), null);
  }

  private static ObjectNode config(String name) {
    return (ObjectNode) ModelFolder.config(GOLDEN.resolve(name));
  }

  /** Ids, mask and types of three texts, padded on the right. */
  private static INDArray[] texts(EncoderConfig config, int padding) {
    int[][] ids = new int[LENGTHS.length][LENGTHS[0]];
    int[][] mask = new int[LENGTHS.length][LENGTHS[0]];
    int[][] types = new int[LENGTHS.length][LENGTHS[0]];
    Random random = new Random(5);
    for (int row = 0; row < ids.length; row++) {
      Arrays.fill(ids[row], padding);
      for (int i = 0; i < LENGTHS[row]; i++) {
        ids[row][i] = 3 + random.nextInt(config.vocabulary() - 3);
        mask[row][i] = 1;
        types[row][i] = config.tokenTypes() > 1 && i > 3 ? 1 : 0;
      }
    }
    return new INDArray[] {
      Nd4j.createFromArray(ids), Nd4j.createFromArray(mask), Nd4j.createFromArray(types)
    };
  }

  private static INDArray logits(ModelFiles files, Pooling pooling, INDArray[] texts) {
    EncoderConfig config = EncoderConfig.read(files.config(), files.name());
    int outputs = Head.outputs(files.weights()).orElseThrow();
    TransformerModel model = config.model(new Head(Objectives.CLASSIFY, outputs, pooling));
    EncoderPlans plans =
        new EncoderPlans(
            model,
            ParameterLoader.load(model, files.weights()).asMap(),
            Set.of(),
            MemorySettings.of(ActivationCheckpointing.ATTENTION));
    return plans.infer(TokenInputs.of(texts, null, config).placeholders()).dup();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bert",
        "roberta",
        "xlm-roberta",
        "distilbert",
        "electra",
        "mpnet",
        "deberta-v3",
        "modernbert"
      })
  void everyEncoderIsANetwork(String name) throws IOException {
    for (Pooling pooling : new Pooling[] {Pooling.FIRST, Pooling.MEAN}) {
      ObjectNode json = config(name);
      json.putObject("tokentune").put("pooling", pooling == Pooling.MEAN ? "mean" : "first");
      Path zip = folder.resolve("net.zip");
      try (ModelFiles files = files(name, json)) {
        EncoderConfig config = EncoderConfig.read(json, name);
        INDArray[] texts = texts(config, json.path("pad_token_id").asInt(0));
        long outputs = ClassifierNetwork.write(files, zip);
        ComputationGraph net = ComputationGraph.load(zip.toFile(), false);
        Map<String, INDArray> rows = net.feedForward(texts, false);
        INDArray found =
            rows.get("encoder")
                .mmul(net.getLayer("output").getParam("W"))
                .addRowVector(net.getLayer("output").getParam("b"));
        INDArray wanted = logits(files, pooling, texts);
        assertEquals(outputs, wanted.size(1));
        double off = found.sub(wanted).amaxNumber().doubleValue();
        INDArray softmax = Transforms.softmax(wanted);
        double probabilities = rows.get("output").sub(softmax).amaxNumber().doubleValue();
        System.out.printf(
            "%s, %s: logits differ by %.1e of %.1e, probabilities by %.1e%n",
            name, pooling, off, wanted.amaxNumber().doubleValue(), probabilities);
        assertTrue(off <= 1e-5 && probabilities <= 1e-5, name + " " + off + " " + probabilities);
        INDArray labels = Nd4j.zeros(LENGTHS.length, outputs);
        labels.putColumn(0, Nd4j.ones(LENGTHS.length));
        MultiDataSet batch = new MultiDataSet(texts, new INDArray[] {labels});
        double before = net.score(batch, false);
        net.fit(batch);
        assertTrue(net.score(batch, false) < before, name + " does not learn");
        net.close();
      }
    }
  }

  /** A new pooler would make an untrained network of a trained classifier. */
  @Test
  void aMissingWeightIsNoNewOne() throws IOException {
    Path broken = Files.createDirectory(folder.resolve("broken"));
    Files.copy(GOLDEN.resolve("bert/config.json"), broken.resolve("config.json"));
    Map<String, INDArray> tensors = new HashMap<>();
    try (WeightSource weights = ModelFolder.weights(GOLDEN.resolve("bert"))) {
      for (String tensor : weights.names()) {
        if (!tensor.contains("pooler")) {
          tensors.put(tensor, weights.read(tensor));
        }
      }
    }
    SafeTensorsWriter.write(broken.resolve("model.safetensors"), tensors);
    Path zip = folder.resolve("net.zip");
    try (ModelFiles files =
        new ModelFiles("broken", config("bert"), ModelFolder.weights(broken), null)) {
      BadInputException thrown =
          assertThrows(BadInputException.class, () -> ClassifierNetwork.write(files, zip));
      System.out.println(thrown.getMessage());
      assertTrue(thrown.getMessage().contains("has no tensor bert.pooler.dense."));
    }
    try (ModelFiles files = files("bert-mlm", config("bert-mlm"))) {
      BadInputException thrown =
          assertThrows(BadInputException.class, () -> ClassifierNetwork.write(files, zip));
      assertTrue(thrown.getMessage().contains("not an encoder with a classifier of texts"));
    }
    assertEquals(1, folder.toFile().list().length, "nothing half-written");
  }

  /** DL4J's ModelSerializer ends with an OutOfMemoryError when it reads a larger file. */
  @Test
  void aFileThatDl4jCannotReadIsNotWritten() {
    String table = "bert.embeddings.word_embeddings.weight";
    int words = 1 << 24; // the most, of 32 numbers each
    WeightSource golden = ModelFolder.weights(GOLDEN.resolve("bert"));
    WeightSource large =
        new WeightSource() {
          @Override
          public Set<String> names() {
            return golden.names();
          }

          @Override
          public long[] shape(String name) {
            long[] shape = golden.shape(name);
            return name.equals(table) ? new long[] {words, shape[1]} : shape;
          }

          @Override
          public INDArray read(String name) {
            throw new AssertionError(name + " is read");
          }

          @Override
          public String origin() {
            return golden.origin();
          }

          @Override
          public void close() {
            golden.close();
          }
        };
    Path zip = folder.resolve("net.zip");
    try (ModelFiles files =
        new ModelFiles("large", config("bert").put("vocab_size", words), large, null)) {
      BadInputException thrown =
          assertThrows(BadInputException.class, () -> ClassifierNetwork.write(files, zip));
      System.out.println(thrown.getMessage());
      assertTrue(
          thrown.getMessage().contains("DL4J reads no network of more than 536,869,887 (2 GiB)"));
    }
    assertTrue(Files.notExists(zip));
  }
}

package org.tokentune.zoo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.SentiWordNet;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Encoder;
import org.tokentune.models.EncoderConfig;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Objectives;
import org.tokentune.train.StepMemoryReport;

class ZooTest {

  private static final int SENTENCES = 50;
  private static final int BATCH = 10;

  @ParameterizedTest
  @ValueSource(strings = {"all-minilm-l6-v2", "bge-small-en-v1.5", "e5-small-v2"})
  void equalsOnnxRuntime(String name) throws IOException, OrtException {
    double worst = 0;
    int shortest = Integer.MAX_VALUE;
    int longest = 0;
    try (ModelFiles model = Zoo.load(name);
        TextTokenizer tokenizer = TextTokenizer.open(model, 512, false);
        OnnxRuntime onnx = new OnnxRuntime(name)) {
      EncoderConfig config = EncoderConfig.read(model.config(), name);
      Encoder bert = new Encoder(config, new Head(Objectives.CLASSIFY, 2, Pooling.MEAN));
      ModelGraph graph =
          bert.build(
              ParameterLoader.loadEncoder(bert, model.weights(), WeightStorage.FLOAT32, 1),
              GraphOptions.inference());
      String hidden = ModelGraph.hidden(config.layers());
      List<Example> glosses = SentiWordNet.load(1).test().subList(0, SENTENCES);
      for (int from = 0; from < SENTENCES; from += BATCH) {
        int[][] texts = new int[BATCH][];
        for (int row = 0; row < BATCH; row++) {
          texts[row] = tokenizer.encode(glosses.get(from + row).text(), null).ids();
          shortest = Math.min(shortest, texts[row].length);
          longest = Math.max(longest, texts[row].length);
        }
        Batch batch = Batch.of(texts);
        Map<String, INDArray> inputs = new HashMap<>();
        inputs.put("input_ids", ints(batch.ids()));
        inputs.put("attention_mask", ints(batch.mask()));
        inputs.put("token_type_ids", Nd4j.zerosLike(inputs.get("input_ids")));
        INDArray actual = graph.sd().output(inputs, hidden).get(hidden);
        worst = Math.max(worst, difference(texts, onnx.hidden(batch), actual));
      }
    }
    System.out.printf(
        "%s, %d sentences of %d to %d tokens: hidden states differ from ONNX Runtime's by at most %.1e%n",
        name, SENTENCES, shortest, longest, worst);
    assertTrue(worst < 1e-4);
  }

  /** Texts padded to the longest. */
  private record Batch(long[][] ids, long[][] mask) {

    static Batch of(int[][] texts) {
      int length = Arrays.stream(texts).mapToInt(text -> text.length).max().orElseThrow();
      long[][] ids = new long[texts.length][length];
      long[][] mask = new long[texts.length][length];
      for (int row = 0; row < texts.length; row++) {
        for (int i = 0; i < texts[row].length; i++) {
          ids[row][i] = texts[row][i];
          mask[row][i] = 1;
        }
      }
      return new Batch(ids, mask);
    }
  }

  /** Largest difference over the unpadded tokens; NaN counts as infinite. */
  private static double difference(int[][] texts, float[][][] expected, INDArray actual) {
    double worst = 0;
    for (int row = 0; row < texts.length; row++) {
      for (int i = 0; i < texts[row].length; i++) {
        float[] vector = actual.getRow((long) row * expected[row].length + i).toFloatVector();
        for (int c = 0; c < vector.length; c++) {
          double gap = Math.abs(expected[row][i][c] - vector[c]);
          worst = Double.isNaN(gap) ? Double.POSITIVE_INFINITY : Math.max(worst, gap);
        }
      }
    }
    return worst;
  }

  private static INDArray ints(long[][] values) {
    int[][] ints = new int[values.length][];
    for (int row = 0; row < ints.length; row++) {
      ints[row] = Arrays.stream(values[row]).mapToInt(Math::toIntExact).toArray();
    }
    return Nd4j.createFromArray(ints);
  }

  /** A zoo model in ONNX Runtime. */
  private static final class OnnxRuntime implements AutoCloseable {

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    OnnxRuntime(String name) throws IOException, OrtException {
      OnnxModel model = (OnnxModel) Zoo.source(name);
      String entry = model.weights();
      try (ZipFile jar = new ZipFile(model.fetch(DownloadListener.NONE).toFile())) {
        session = environment.createSession(jar.getInputStream(jar.getEntry(entry)).readAllBytes());
      }
    }

    float[][][] hidden(Batch batch) throws OrtException {
      long[][] ids = batch.ids();
      try (OnnxTensor idTensor = OnnxTensor.createTensor(environment, ids);
          OnnxTensor mask = OnnxTensor.createTensor(environment, batch.mask());
          OnnxTensor types =
              OnnxTensor.createTensor(environment, new long[ids.length][ids[0].length]);
          OrtSession.Result result =
              session.run(
                  Map.of("input_ids", idTensor, "attention_mask", mask, "token_type_ids", types))) {
        return (float[][][]) result.get(0).getValue();
      }
    }

    @Override
    public void close() throws OrtException {
      session.close();
    }
  }

  @Test
  void unknownNamesAreAnswered() {
    String message =
        assertThrows(BadInputException.class, () -> Zoo.load("bge-small")).getMessage();
    assertTrue(message.contains("nearest names are [bge-small-en-v1.5, "), message);
  }

  @ParameterizedTest
  @CsvSource({
    "Bert-Base-Uncassed, bert-base-uncased",
    "sentence-transformers/all-MiniLM-L6, all-minilm-l6-v2",
    "gtp2, gpt2",
    "SmolLM2_135M, smollm2-135m",
  })
  void theNearestNameComesFirst(String wrong, String right) {
    String message = assertThrows(BadInputException.class, () -> Zoo.model(wrong)).getMessage();
    System.out.println(message);
    assertTrue(message.contains("nearest names are [" + right + ", "), message);
  }

  @Test
  void namesAreThoseOfTheCatalogueOrTheHubInAnyCaseOrPaths(@TempDir Path folder)
      throws IOException {
    String config = Zoo.config("all-minilm-l6-v2").toString();
    Path file = Files.writeString(folder.resolve("config.json"), config);
    for (String name :
        List.of(
            "All-MiniLM-L6-v2",
            "sentence-transformers/all-MiniLM-L6-v2",
            "SENTENCE-TRANSFORMERS/ALL-MINILM-L6-V2",
            folder.toString(),
            file.toString())) {
      assertEquals(config, Zoo.config(name).toString(), name);
    }
    try (ModelFiles files = Zoo.load("Sentence-Transformers/All-MiniLM-L6-v2")) {
      assertEquals("all-minilm-l6-v2", files.name());
      assertEquals("sentence-transformers/all-MiniLM-L6-v2", files.repository());
    }
    assertEquals("hub owner/Name@main", Zoo.source("owner/Name").origin());
  }

  /**
   * Numbers of parameters as transformers counts them ({@code num_parameters()} of the class in
   * {@code architectures}).
   */
  @ParameterizedTest
  @CsvSource({
    "bert-base-cased, 108340804",
    "bert-large-uncased, 335174458",
    "roberta-base, 124697433",
    "roberta-large, 355412057",
    "distilbert-base-uncased, 66985530",
    "gpt2, 124439808",
    "gpt2-medium, 354823168",
    "qwen3-0.6b, 596049920",
    "qwen3-1.7b, 1720574976",
    "qwen3-4b, 4022468096",
    "qwen3-8b, 8190735360",
    "smollm3-3b, 3075098624",
    "olmo2-1b, 1484916736",
    "phi3-mini-4k, 3821079552",
    "gemma2-2b, 2614341888",
    "gemma3-270m, 268098176",
    "gemma3-1b, 999885952",
    "granite3.3-2b, 2533525504",
    "xlm-roberta-base, 278295186",
    "all-mpnet-base-v2, 109518527",
    "modernbert-base, 149655232",
    "smollm2-135m, 134515008",
    "smollm2-360m, 361821120",
    "smollm2-1.7b, 1711376384",
    "tinyllama-1.1b-chat, 1100048384",
    "llama2-7b, 6738415616",
    "llama2-13b, 13015864320",
    "llama3-8b, 8030261248",
    "mistral-7b, 7241732096",
    "qwen2-0.5b, 494032768",
    "qwen2-1.5b, 1543714304",
    "qwen2-7b, 7615616512"
  })
  void sizesAreThePublishedOnes(String name, long parameters) {
    assertEquals(parameters, Zoo.model(name).parameters());
  }

  @Test
  void everyModelCanBePlanned() {
    for (PretrainedModel model : Zoo.list()) {
      assertTrue(model.config().layers() > 0, model.name());
      assertFalse(model.licence().isBlank(), model.name());
    }
    StepMemoryReport report = Zoo.model("smollm2-135m").tuningMemory(1, 32, "25%");
    assertEquals(4 * 134_515_008L, report.parameters());
    assertEquals(2 * report.parameters(), report.optimizerState());
  }

  @Test
  void checksumsOfArtifactsAreTheCatalogues(@TempDir Path folder) throws IOException {
    OnnxModel model = (OnnxModel) Zoo.source("all-minilm-l6-v2");
    model.fetch(DownloadListener.NONE);
    String line = model.verify().get(0);
    System.out.println(line);
    assertTrue(line.startsWith(model.artifact().sha256()), line);
    Path damaged = Files.write(folder.resolve("damaged.jar"), new byte[100]);
    String message =
        assertThrows(
                BadInputException.class,
                () -> Checksums.require(damaged, 100, model.artifact().sha256()))
            .getMessage();
    assertTrue(message.contains("delete it, so that it is fetched again"), message);
  }
}

package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.Prediction;
import org.tokentune.text.TextModel;

class ExportCommandTest {

  private static final Path TINY =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf");

  private static final Path BERT = Path.of("../tokentune-samediff/src/test/resources/golden/bert");

  @TempDir private Path folder;

  @Test
  void writesAFileThatIsRead() {
    Path file = folder.resolve("tiny.gguf");
    Run made =
        Run.of("export", "--model", TINY, "--to", "GGUF", "--type", "q8_0", "--output", file);
    System.out.println(made.printed());
    assertEquals(0, made.code(), made.printed());
    assertTrue(made.printed().contains("llama, q8_0; 20 tensors (5 in f32, 15 in q8_0)"));
    Run text =
        Run.of(
            "generate", "--model", file, "--prompt", "The", "--temperature", 0, "--max-tokens", 4);
    assertEquals(0, text.code(), text.printed());
  }

  @Test
  void saysWhatIsWrong() {
    says("--type must be one of [f32, f16, bf16, q8_0, q4_k], got q3_k.", "--type", "q3_k");
    says("cannot be written", "--output", folder.resolve("none/x.gguf"));
    says("cannot be written", "--output", "/dev/full");
    says("has no adapter_config.json", "--adapter", folder);
  }

  private Path bert() throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(BERT.resolve(name), base.resolve(name));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), base.resolve("tokenizer.json"));
    return base;
  }

  /** A network of DL4J gives the probabilities that the model gives, and a number as it is. */
  @ParameterizedTest
  @CsvSource({
    "classify, first, b",
    "classify, mean, b",
    "multilabel, first, b",
    "regress, mean, 2"
  })
  void networksOfDl4jGiveTheSame(String task, String pooling, String label) throws IOException {
    Path rows = folder.resolve("rows.csv");
    String first = task.equals("regress") ? "1" : "a";
    Files.writeString(rows, "text,label\nx y,%s\ny z z,%s\nz,%s\n".formatted(first, label, first));
    Path saved = folder.resolve("saved");
    Run trained =
        Run.of(
            "train",
            "--task",
            task,
            "--model",
            bert(),
            "--data",
            rows,
            "--validation",
            "none",
            "--steps",
            3,
            "--pooling",
            pooling,
            "--output",
            saved);
    assertEquals(0, trained.code(), trained.printed());
    Path zip = folder.resolve("net.zip");
    Run made = Run.of("export", "--model", saved, "--to", "dl4j", "--output", zip);
    System.out.println(made.printed());
    assertEquals(0, made.code(), made.printed());
    Run nowhere =
        Run.of("export", "--model", saved, "--to", "dl4j", "--output", saved.resolve("a/b"));
    assertEquals(1, nowhere.code());
    assertTrue(nowhere.printed().contains("cannot be written ("), nowhere.printed());
    try (ModelFiles files = ModelFolder.open(saved);
        TextModel model = TextModel.open(files);
        TextTokenizer tokenizer = TextTokenizer.open(files, 32, true)) {
      ComputationGraph net = ComputationGraph.load(zip.toFile(), false);
      List<Example> texts =
          List.of(new Example("x y", null, null), new Example("y z z", null, null));
      List<Prediction> expected = model.predict(texts.stream().map(Example::text).toList());
      for (int i = 0; i < 2; i++) {
        TextTokenizer.Tokens tokens = tokenizer.encode(texts.get(i), Objectives.CLASSIFY);
        int[] mask = new int[tokens.ids().length];
        Arrays.fill(mask, 1);
        INDArray output =
            net.output(
                    Nd4j.createFromArray(new int[][] {tokens.ids()}),
                    Nd4j.createFromArray(new int[][] {mask}),
                    Nd4j.createFromArray(new int[][] {tokens.typeIds()}))[0];
        double[] scores =
            expected.get(i).scores().values().stream().mapToDouble(Double::doubleValue).toArray();
        assertArrayEquals(scores, output.toDoubleVector(), 1e-6);
      }
      System.out.println(task + ", " + pooling + ": " + expected.get(0).scores());
    }
  }

  @Test
  void otherModelsAreNoNetworksOfDl4j() {
    Run run =
        Run.of("export", "--model", TINY, "--to", "dl4j", "--output", folder.resolve("net.zip"));
    System.out.println(run.printed());
    assertEquals(1, run.code());
    assertTrue(run.printed().contains("is not an encoder with a classifier of texts"));
    assertEquals(0, folder.toFile().list().length);
  }

  @Test
  void theHubNeedsARepository() {
    for (String options :
        List.of("--to hub", "--to hub a/b --output x", "--to gguf a/b --output x", "--to gguf")) {
      Run run =
          Run.of(
              Stream.concat(
                      Stream.of("export", "--model", folder), Stream.of(options.split(" ", -1)))
                  .toArray());
      System.out.println(run.printed());
      assertEquals(1, run.code(), run.printed());
      assertTrue(
          run.printed().contains(options.contains("hub") ? "needs OWNER/NAME" : "needs --output"));
    }
    Run run = Run.of("export", "--model", folder, "--to", "hub", "owner/name");
    System.out.println(run.printed());
    assertTrue(run.printed().contains("is no folder of a model or of adapters"), run.printed());
  }

  private void says(String part, Object... options) {
    Object[] arguments = new Object[7 + options.length];
    Object[] usual = {
      "export", "--model", TINY, "--to", "gguf", "--output", folder.resolve("x.gguf")
    };
    System.arraycopy(usual, 0, arguments, 0, usual.length);
    System.arraycopy(options, 0, arguments, usual.length, options.length);
    if (options[0].equals("--output")) {
      arguments[6] = options[1];
      arguments = java.util.Arrays.copyOf(arguments, 7);
    }
    Run run = Run.of(arguments);
    System.out.println(run.printed());
    assertEquals(1, run.code(), run.printed());
    assertTrue(run.printed().contains(part), run.printed());
    assertEquals(0, folder.toFile().list().length, "nothing half-written");
    assertTrue(Files.isDirectory(folder));
  }
}

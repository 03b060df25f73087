package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encoders that find hidden words, trained from the command line. */
class MaskedWordsCommandsTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");

  @TempDir private Path folder;
  private Path base;
  private Path text;

  @BeforeEach
  void writeFiles() throws IOException {
    base = copy("distilbert-mlm");
    text = text(120);
  }

  private Path copy(String name) throws IOException {
    Path copy = folder.resolve(name);
    try (Stream<Path> files = Files.walk(GOLDEN.resolve(name))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path to = copy.resolve(GOLDEN.resolve(name).relativize(file).toString());
        Files.createDirectories(to.getParent());
        Files.copy(file, to);
      }
    }
    return copy;
  }

  /** Every word follows from the ones beside it. */
  private Path text(int lines) throws IOException {
    return Files.writeString(
        folder.resolve("text.txt"),
        IntStream.range(0, lines)
            .mapToObj(i -> (i % 2 == 0 ? "the cat, the cat and the cat." : "a dog. a dog. a dog,"))
            .collect(Collectors.joining("\n")));
  }

  private static Run run(Object... arguments) {
    Run run = Run.of(arguments);
    System.out.println(run.printed());
    return run;
  }

  private Run train(Object... options) {
    List<Object> all =
        new ArrayList<>(List.of("train", "--task", "mlm", "--batch-size", 8, "--data", text));
    all.addAll(Arrays.asList(options));
    return run(all.toArray());
  }

  private static double perplexity(Run run) {
    return Double.parseDouble(run.printed().replaceAll("(?s).*perplexity ([0-9.]+), loss.*", "$1"));
  }

  private Run evaluate(Object... options) {
    List<Object> all = new ArrayList<>(List.of("evaluate", "--data", text, "--max-length", 24));
    all.addAll(Arrays.asList(options));
    Run run = run(all.toArray());
    assertEquals(0, run.code(), run.printed());
    return run;
  }

  @Test
  void learnsHiddenWordsAndIsAModelForOtherTasks() throws IOException {
    Path out = folder.resolve("out");
    double before = perplexity(evaluate("--model", base));
    Run trained =
        train(
            "--model",
            base,
            "--max-length",
            24,
            "--epochs",
            8,
            "--learning-rate",
            1e-2,
            "--tokens",
            "30%",
            "--output",
            out);
    assertEquals(0, trained.code(), trained.printed());
    double after = perplexity(evaluate("--model", out));
    System.out.printf("perplexity %.2f before, %.2f after%n", before, after);
    assertTrue(after < 0.5 * before);
    assertTrue(Files.readString(out.resolve("config.json")).contains("DistilBertForMaskedLM"));
    assertEquals(after, perplexity(evaluate("--model", out, "--task", "mlm")), "the default task");
    Run filled = run("fill", "--model", out, "--top", 1, "the c[MASK]t, the cat and the cat.");
    assertEquals(0, filled.code());

    Path labelled =
        Files.writeString(
            folder.resolve("labelled.csv"), "text,label\n" + "the cat,cat\na dog,dog\n".repeat(10));
    for (String task : List.of("classify", "embed", "mlm")) {
      Path pairs = task.equals("classify") ? labelled : text;
      if (task.equals("embed")) {
        pairs =
            Files.writeString(
                folder.resolve("pairs.csv"), "anchor,positive\n" + "cat,the\ndog,a\n".repeat(9));
      }
      Run next =
          run(
              "train",
              "--task",
              task,
              "--model",
              out,
              "--data",
              pairs,
              "--epochs",
              1,
              "--max-length",
              24,
              "--output",
              folder.resolve("next-" + task));
      assertEquals(0, next.code(), next.printed());
    }
  }

  /** The second half is resumed, and ends with the same bits. */
  private void resumesExactly(String file, Object... options) throws IOException {
    List<Object> all = new ArrayList<>(List.of("--model", base, "--max-length", 24));
    all.addAll(List.of("--save-every", 7, "--keep", 9, "--tokens", "25%"));
    all.addAll(Arrays.asList(options));
    all.addAll(List.of("--learning-rate", 1e-3, "--overwrite", "--output"));
    List<Object> whole = new ArrayList<>(all);
    whole.add(folder.resolve("whole"));
    assertEquals(0, train(whole.toArray()).code());
    List<Object> resumed = new ArrayList<>(all);
    resumed.addAll(List.of(folder.resolve("resumed"), "--resume"));
    resumed.add(folder.resolve("whole/checkpoints/step-00000007"));
    assertEquals(0, train(resumed.toArray()).code());
    byte[] weights = Files.readAllBytes(folder.resolve("whole").resolve(file));
    assertArrayEquals(weights, Files.readAllBytes(folder.resolve("resumed").resolve(file)));
    List<Object> other = new ArrayList<>(resumed);
    other.addAll(List.of("--mask", "30%"));
    Run refused = train(other.toArray());
    assertNotEquals(0, refused.code(), "another share is another training");
    assertTrue(refused.printed().contains("training data"), refused.printed());
  }

  @Test
  void resumesExactly() throws IOException {
    resumesExactly("model.safetensors", "--epochs", 2);
    resumesExactly("model.safetensors", "--epochs", 2, "--accumulate", 2, "--checkpoint", "blocks");
    resumesExactly("adapter_model.safetensors", "--epochs", 2, "--lora", "r=2", "--weights", "nf4");
  }

  @Test
  void aStreamIsResumedExactly() throws IOException {
    text = text(40_000);
    resumesExactly("model.safetensors", "--stream", "--steps", 14, "--line-by-line");
  }

  @Test
  void anEncoderWithoutAHeadGetsANewOne() throws IOException {
    Path headless = copy("electra-mlm");
    Files.copy(base.resolve("tokenizer.json"), headless.resolve("tokenizer.json"));
    Files.copy(base.resolve("tokenizer_config.json"), headless.resolve("tokenizer_config.json"));
    Path out = folder.resolve("out");
    // What a classifier has no head for hidden words:
    Path labelled =
        Files.writeString(
            folder.resolve("labelled.csv"), "text,label\n" + "the cat,cat\na dog,dog\n".repeat(10));
    Path classifier = folder.resolve("classifier");
    assertEquals(
        0,
        run("train", "--model", headless, "--data", labelled, "--epochs", 1, "--output", classifier)
            .code());
    Run trained = train("--model", classifier, "--max-length", 24, "--epochs", 1, "--output", out);
    assertEquals(0, trained.code());
    assertTrue(trained.printed().contains("has no head for hidden words"), trained.printed());
    Path adapters = folder.resolve("adapters");
    Run adapted =
        train(
            "--model",
            classifier,
            "--max-length",
            24,
            "--epochs",
            3,
            "--learning-rate",
            1e-2,
            "--lora",
            "r=2",
            "--output",
            adapters);
    assertEquals(0, adapted.code());
    double scored =
        perplexity(evaluate("--task", "mlm", "--model", classifier, "--adapter", adapters));
    double base = perplexity(evaluate("--task", "mlm", "--model", classifier));
    System.out.printf("perplexity %.2f without adapters, %.2f with%n", base, scored);
    assertTrue(scored < 0.9 * base);
    assertEquals(0, run("fill", "--model", classifier, "--adapter", adapters, "the [MASK]").code());
  }

  @Test
  void wrongOptionsAreRejected() throws IOException {
    rejected("--mask must be a share above 0 and below 1", "--mask", "0");
    rejected("--mask must be a share above 0 and below 1", "--mask", "many");
    rejected("Rows of 300 tokens are longer than the 48", "--max-length", 300);
    rejected("--on-long and --window-scores are for", "--on-long", "split");
    rejected("Class weights are for", "--class-weights", "balanced");
    Run decoder = run("evaluate", "--task", "lm", "--model", base, "--data", text);
    assertNotEquals(0, decoder.code());
    assertTrue(decoder.printed().contains("--task lm is for decoders"), decoder.printed());
  }

  private void rejected(String reason, Object... options) {
    List<Object> all = new ArrayList<>(List.of("--model", base));
    all.addAll(Arrays.asList(options));
    Run run = train(all.toArray());
    assertNotEquals(0, run.code());
    assertTrue(run.printed().contains(reason), run.printed());
  }
}

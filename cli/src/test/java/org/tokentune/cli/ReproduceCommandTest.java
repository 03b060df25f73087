package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Comparisons of methods on tiny models. */
class ReproduceCommandTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private Path result;

  @BeforeEach
  void writeModel() throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve("bert").resolve(file), base.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), base.resolve("tokenizer.json"));
    result = folder.resolve("result");
  }

  private Run reproduce(Object... arguments) {
    List<Object> all = new ArrayList<>(List.of("reproduce"));
    all.addAll(Arrays.asList(arguments));
    all.addAll(List.of("--output", result));
    Run run = Run.of(all.toArray());
    System.out.println(run.printed());
    return run;
  }

  private static String rows(String header, String good, String bad) {
    return IntStream.range(0, 40)
        .mapToObj(i -> i % 3 == 0 ? bad : good)
        .collect(Collectors.joining("\n", header + "\n", "\n"));
  }

  private JsonNode runs() throws IOException {
    return JSON.readTree(result.resolve("results.json").toFile()).path("runs");
  }

  /** Tasks are found by the names of their folders; each is scored as GLUE scores it. */
  @Test
  void comparesMethodsOnTasksOfGlue() throws IOException {
    Path sst = Files.createDirectories(folder.resolve("glue/SST-2"));
    Path cola = Files.createDirectories(folder.resolve("glue/CoLA"));
    for (String part : List.of("train.tsv", "dev.tsv")) {
      Files.writeString(
          sst.resolve(part), rows("sentence\tlabel", "the good cat\t1", "the bad cat\t0"));
      Files.writeString(
          cola.resolve(part),
          rows("gj\t1\t\tthe cat", "gj\t1\t\tthe good cat", "gj\t0\t*\tcat the"));
    }
    Object[] command = {
      "glue", "--data", folder.resolve("glue"), "--model", folder.resolve("base"), "--seeds", 2
    };
    Run run = reproduce(command);
    assertEquals(0, run.code());
    assertEquals(16, runs().size()); // 2 tasks, 4 methods, 2 seeds
    double full = megabytes("sst2", "full");
    assertTrue(megabytes("sst2", "lora") < full, "LoRA takes less than " + full);
    assertTrue(run.printed().contains("Matthews"), run.printed());
    String page = Files.readString(result.resolve("report.md"));
    assertTrue(page.contains("## sst2\n\n| method | accuracy |"), page);
    assertTrue(page.contains("| tokentune+lora |"), page);
    BufferedImage picture = ImageIO.read(result.resolve("cola.png").toFile());
    assertEquals(1000, picture.getWidth());

    JsonNode whole = runs();
    ObjectNode cut = (ObjectNode) JSON.readTree(result.resolve("results.json").toFile());
    ((ArrayNode) cut.path("runs")).remove(15); // as after a kill during the last training
    Files.writeString(result.resolve("results.json"), cut.toString());
    Run resumed = reproduce(command);
    assertTrue(resumed.printed().contains("Going on after 15 trainings"), resumed.printed());
    for (int i = 0; i < 16; i++) {
      assertEquals(whole.path(i).path("score"), runs().path(i).path("score"));
    }
    Run fewer =
        reproduce(
            "glue",
            "--data",
            folder.resolve("glue"),
            "--model",
            folder.resolve("base"),
            "--tasks",
            "sst2");
    assertTrue(fewer.printed().contains("Matthews"), "of what was done before: " + fewer.printed());
    Run other = reproduce("glue", "--data", folder.resolve("glue"), "--model", "else");
    assertEquals(1, other.code());
    assertTrue(other.printed().contains("name another --output"), other.printed());
  }

  private double megabytes(String task, String method) throws IOException {
    for (JsonNode run : runs()) {
      if (run.path("task").asText().equals(task) && run.path("method").asText().equals(method)) {
        return run.path("megabytes").asDouble();
      }
    }
    throw new AssertionError(task + " " + method);
  }

  @Test
  void comparesMethodsOnOwnDataWithinABudget() throws IOException {
    Path data = folder.resolve("my rows.csv");
    Files.writeString(data, rows("comment,kind", "the good cat,good", "the bad cat,bad"));
    Path config = folder.resolve("columns.yaml");
    Files.writeString(config, "text: comment\nlabel: kind\nepochs: 2\n");
    Object[] command = {
      "glue",
      "--data",
      data,
      "--config",
      config,
      "--model",
      folder.resolve("base"),
      "--methods",
      "full,tokentune",
      "--metric",
      "macro_f1",
      "--seeds",
      1,
      "--budget",
      "1h"
    };
    assertEquals(0, reproduce(command).code());
    assertEquals(2, runs().size());
    assertEquals("my_rows", runs().path(0).path("task").asText());
    command[command.length - 1] = "0s";
    command[command.length - 3] = 2;
    Run late = reproduce(command);
    assertEquals(0, late.code());
    assertTrue(late.printed().contains("The budget is used up."), late.printed());
    assertEquals(2, runs().size());
    assertOther(command, 6 + 4, "accuracy");
    Path namesake = Files.createDirectory(folder.resolve("elsewhere")).resolve("my rows.csv");
    Files.copy(data, namesake);
    assertOther(command, 2, namesake);
  }

  /** Scores of other rows, or of another kind, are not taken for what is asked for. */
  private void assertOther(Object[] command, int at, Object value) {
    Object[] changed = command.clone();
    changed[at] = value;
    Run run = reproduce(changed);
    assertEquals(1, run.code());
    assertTrue(run.printed().contains("name another --output"), run.printed());
  }

  /** The untrained decoder is a row of its own; each training answers all files of questions. */
  @Test
  void comparesAnswersOfADecoder() throws IOException {
    Path samples = Path.of("../samples");
    Path questions = folder.resolve("again.jsonl");
    Files.copy(samples.resolve("choices.jsonl"), questions);
    Path config = Files.writeString(folder.resolve("short.yaml"), "epochs: 1\n");
    Run run =
        reproduce(
            "llama",
            "--model",
            "stories260k",
            "--data",
            samples.resolve("tasks.jsonl"),
            "--questions",
            samples.resolve("choices.jsonl") + "," + questions,
            "--methods",
            "base,tokentune+qlora",
            "--config",
            config,
            "--shots",
            1,
            "--seeds",
            1);
    assertEquals(0, run.code());
    assertEquals(4, runs().size());
    assertEquals(
        runs().path(2).path("score").asDouble(), runs().path(3).path("score").asDouble(), 0);
    assertEquals(0, runs().path(0).path("megabytes").asDouble());
  }

  @Test
  void plansMethodsOverSharesAndBatches() throws IOException {
    Run run = reproduce("memory", "--model", "all-minilm-l6-v2", "--shares", "25,100");
    assertEquals(0, run.code());
    JsonNode planned = JSON.readTree(result.resolve("results.json").toFile());
    JsonNode shares = planned.at("/shares/bytes");
    assertTrue(shares.at("/full/0").asLong() < shares.at("/full/1").asLong(), run.printed());
    assertEquals(
        shares.at("/full/1").asLong(),
        planned.at("/batches/bytes/full/3").asLong(),
        "all tokens, 32 texts");
    assertEquals(shares.at("/full/0").asLong(), planned.at("/batches/bytes/TokenTune/3").asLong());
    assertTrue(Files.exists(result.resolve("batches.png")));
    assertTrue(Files.readString(result.resolve("report.md")).contains("| QLoRA |"));
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    Files.createDirectories(folder.resolve("empty"));
    assertBad("--methods", "glue", "--data", "x.csv", "--methods", "most");
    assertBad("base", "glue", "--data", "x.csv", "--methods", "base");
    assertBad("has no folder of rte", "glue", "--data", folder.resolve("empty"), "--tasks", "rte");
    assertBad("--seeds", "glue", "--data", "x.csv", "--seeds", 0);
    assertBad("--budget", "glue", "--data", "x.csv", "--budget", "soon");
    assertBad("rates", "glue", "--data", "x.csv", "--learning-rate", -1);
    Path config = Files.writeString(folder.resolve("own.yaml"), "seed: 7\n");
    assertBad("seed is set by reproduce", "glue", "--data", "x.csv", "--config", config);
    assertBad("--shares", "memory", "--shares", "0");
    Path again = Files.createDirectory(folder.resolve("again")).resolve("choices.jsonl");
    Files.copy(Path.of("../samples/choices.jsonl"), again);
    assertBad(
        "two files are called choices",
        "llama",
        "--model",
        "x",
        "--data",
        "y",
        "--questions",
        "../samples/choices.jsonl," + again);
    assertBad("is not a file", "llama", "--model", "x", "--data", "y", "--questions", "z.jsonl");
  }

  private void assertBad(String message, Object... arguments) {
    Run run = reproduce(arguments);
    assertTrue(run.code() == 1 || run.code() == 2, run.printed());
    assertTrue(run.printed().contains(message), run.printed());
  }
}

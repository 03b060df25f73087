package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code train --spark}, in this process. */
class SparkTrainTest {

  @TempDir private static Path folder;

  /** The exit code, and what was printed. */
  private record Outcome(int exit, String out, String err) {}

  private static Path base() throws IOException {
    Path base = folder.resolve("base");
    if (!Files.exists(base)) {
      Path golden = Path.of("../tokentune-samediff/src/test/resources/golden/bert");
      Files.createDirectories(base);
      for (String file : List.of("config.json", "model.safetensors")) {
        Files.copy(golden.resolve(file), base.resolve(file));
      }
      Path tokenizer = Path.of("../datasets/src/test/resources/tokenizer.json");
      Files.copy(tokenizer, base.resolve("tokenizer.json"));
    }
    return base;
  }

  private static Outcome train(Path output, String... more) throws IOException {
    Path data = Path.of("../samples/reviews.csv");
    List<String> arguments =
        new ArrayList<>(List.of("train", "--model", base().toString(), "--data", data.toString()));
    arguments.addAll(List.of("--text", "review", "--label", "stars", "--steps", "4"));
    arguments.addAll(List.of("--batch-size", "8", "--dropout", "0"));
    arguments.addAll(List.of("--output", output.toString()));
    arguments.addAll(List.of(more));
    return run(arguments);
  }

  private static Outcome run(List<String> arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine commands =
        TokenTune.commands().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    int exit = TokenTune.run(commands, arguments.toArray(String[]::new));
    return new Outcome(exit, out.toString(), err.toString());
  }

  @Test
  void trainsInSeveralTasks() throws IOException {
    Path output = folder.resolve("trained");
    Outcome outcome = train(output, "--spark", "local[2]", "--gradient-bits", "16");
    assertEquals(0, outcome.exit(), outcome.err());
    String report =
        outcome.out().lines().filter(line -> line.startsWith("On Spark")).findFirst().orElseThrow();
    System.out.println(report);
    assertTrue(report.contains("(local[2]), 2 tasks a step."), report);
    assertTrue(report.contains(" in 4 steps;"), report);
    assertTrue(Files.exists(output.resolve("model.safetensors")));
  }

  /** The refusal of a text that is too long is an executor's, in a job before those of steps. */
  @Test
  void tokenisesOnExecutors() throws IOException {
    int[] jobs = {0};
    SparkSession.builder()
        .master("local[2]")
        .config("spark.ui.enabled", false)
        .getOrCreate()
        .sparkContext()
        .addSparkListener(
            new SparkListener() {
              @Override
              public void onJobStart(SparkListenerJobStart start) {
                jobs[0]++;
              }
            });
    Outcome outcome =
        train(
            folder.resolve("long"),
            "--spark",
            "local[2]",
            "--max-length",
            "4",
            "--on-long",
            "refuse");
    System.out.print(outcome.err());
    assertEquals(1, outcome.exit());
    assertTrue(outcome.err().contains("tokens"), outcome.err());
    assertEquals(1, jobs[0]);
  }

  @Test
  void exchangesGradientsFromTaskToTask() throws IOException {
    Path output = folder.resolve("exchanged");
    Outcome outcome = train(output, "--spark", "local[2]", "--exchange", "direct");
    assertEquals(0, outcome.exit(), outcome.err());
    String report =
        outcome.out().lines().filter(line -> line.startsWith("On Spark")).findFirst().orElseThrow();
    System.out.println(report);
    assertTrue(report.contains(" from task to task. Steps made again: 0."), report);
  }

  /** Trials have no limit to memory, which a training on Spark refuses. */
  @Test
  void searchesSettings() throws IOException {
    Path found = folder.resolve("found");
    Path settings = folder.resolve("search.yaml");
    Files.writeString(
        settings,
        """
        model: '%s'
        data: ../samples/reviews.csv
        text: review
        label: stars
        steps: 2
        spark: 'local[2]'
        search:
          batch-size: [4, 8]
        """
            .formatted(base()));
    List<String> search = List.of("search", "--config", settings.toString(), "--trials", "1");
    List<String> arguments = new ArrayList<>(search);
    arguments.addAll(List.of("--output", found.toString()));
    Outcome outcome = run(arguments);
    System.out.println(outcome.out());
    assertEquals(0, outcome.exit(), outcome.err());
    assertTrue(Files.readString(found.resolve("trial-1.log")).contains("On Spark "));
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    Path output = folder.resolve("none");
    assertSays(
        "--spark-tasks, --sync-every, --gradient-bits and --exchange are for trainings on Spark; give"
            + " --spark, or leave them out.",
        train(output, "--sync-every", "8"));
    assertSays(
        "Spark does not start with the master nowhere (",
        train(output, "--spark", "nowhere", "--spark-tasks", "2"));
    assertSays(
        "The number of tasks in a step decides the model, and with the master spark://127.0.0.1:1 it"
            + " would be that of the executors that happen to have started; give --spark-tasks.",
        train(output, "--spark", "spark://127.0.0.1:1"));
    assertSays(
        "--gradient-bits must be 16 or 32, got 8.",
        train(output, "--spark", "local[2]", "--gradient-bits", "8"));
    assertSays(
        "The master is that of spark-submit, which has not started this program; name a master, such as"
            + " local[2].",
        train(output, "--spark", "submit"));
    for (String limit : List.of("--memory", "--memory-limit")) {
      assertSays(
          "--memory and --memory-limit are for one machine,",
          train(output, "--spark", "local[2]", limit, "8GB"));
    }
    assertFalse(Files.exists(output.resolve("model.safetensors")));
  }

  private static void assertSays(String sentence, Outcome outcome) {
    System.out.print(outcome.err());
    assertEquals(1, outcome.exit());
    assertTrue(outcome.err().startsWith(sentence), outcome.err());
    assertEquals(1, outcome.err().lines().count(), outcome.err());
  }
}

package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trainings in JVMs of their own, killed as {@code kill -9} does; acceptance/kill.sh does more. */
class KillTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");

  @TempDir private Path folder;
  private Path base;
  private Path data;

  @BeforeEach
  void makeBaseAndData() throws IOException {
    base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(file), base.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), base.resolve("tokenizer.json"));
    Random random = new Random(4);
    List<String> lines = new ArrayList<>(List.of("text\tlabel"));
    for (int i = 0; i < 200; i++) {
      String mood = random.nextBoolean() ? "good" : "bad";
      lines.add("the " + mood + " cat".repeat(1 + random.nextInt(6)) + "\t" + mood);
    }
    data = Files.write(folder.resolve("data.tsv"), lines);
  }

  private List<String> train(Path output, Object... options) {
    List<String> arguments = new ArrayList<>(List.of("train"));
    for (Object argument :
        List.of("--model", base, "--data", data, "--epochs", 4, "--batch-size", 4)) {
      arguments.add(argument.toString());
    }
    for (Object option : options) {
      arguments.add(option.toString());
    }
    arguments.addAll(List.of("--output", output.toString()));
    return arguments;
  }

  private Process start(List<String> arguments, Path printed) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-XX:TieredStopAtLevel=1", // starts faster
                "-Dai.djl.offline=true",
                "-cp",
                System.getProperty("java.class.path"),
                TokenTune.class.getName()));
    command.addAll(arguments);
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(printed.toFile())
        .start();
  }

  /** Until there is something, or more than there was before. */
  private static void await(Path file, Process process) throws Exception {
    long before = Files.exists(file) ? Files.size(file) : 0;
    while (!Files.exists(file) || Files.size(file) <= before) {
      assertTrue(process.isAlive(), "ended before it began");
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }

  @Test
  void aTrainingKilledAtAnyMomentEndsWithTheSameWeights() throws Exception {
    Path whole = folder.resolve("whole");
    Run unbroken = Run.of(train(whole).toArray());
    assertEquals(0, unbroken.code(), unbroken.printed());
    Path broken = folder.resolve("broken");
    Path log = broken.resolve("log.jsonl");
    Path printed = folder.resolve("printed");
    List<String> arguments = train(broken, "--save-every", 5, "--resume", "auto");
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int kills = 0;
    for (int attempt = 0; attempt < 3; attempt++) {
      Process process = start(arguments, printed);
      await(attempt == 0 ? broken.resolve("checkpoints") : log, process);
      boolean ended = process.waitFor(random.nextInt(600), TimeUnit.MILLISECONDS);
      process.destroyForcibly().waitFor();
      kills += ended ? 0 : 1;
    }
    Run resumed = Run.of(arguments.toArray());
    assertEquals(0, resumed.code(), resumed.printed());
    System.out.printf(
        "killed %d times (seed %d); then: %s%n",
        kills,
        seed,
        resumed.printed().lines().filter(line -> line.startsWith("Goes on")).findFirst());
    assertArrayEquals(
        Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(broken.resolve("model.safetensors")));
    assertTrue(Files.readString(broken.resolve("README.md")).contains("--resume auto"));
    assertTrue(resumed.printed().contains("Goes on after step"));
    for (String line : Files.readAllLines(log)) {
      new ObjectMapper().readTree(line); // each is whole, though the training was killed
    }
    try (Stream<Path> files = Files.list(broken)) {
      assertFalse(files.anyMatch(file -> file.getFileName().toString().startsWith(".partial")));
    }
  }

  @Test
  void twoProcessesDoNotTrainIntoOneFolder() throws Exception {
    Path output = folder.resolve("model");
    Path printed = folder.resolve("printed");
    Process first = start(train(output, "--steps", 100_000), printed);
    try {
      await(output.resolve("log.jsonl"), first);
      Run second = Run.of(train(output).toArray());
      System.out.println(second.printed());
      assertEquals(1, second.code());
      assertTrue(second.printed().contains("Process " + first.pid() + " is training in"));
    } finally {
      first.destroyForcibly().waitFor();
    }
    assertFalse(Files.readString(printed, StandardCharsets.UTF_8).contains("Exception"));
    Run third = Run.of(train(output, "--steps", 2).toArray());
    assertEquals(0, third.code(), third.printed()); // the lock went with the process
  }

  /** Ctrl-C before the first validation. */
  @Test
  void aModelIsNotReplacedByOneThatWasNeverValidated() throws Exception {
    Path output = folder.resolve("model");
    Run trained = Run.of(train(output, "--steps", 2).toArray());
    assertEquals(0, trained.code(), trained.printed());
    byte[] before = Files.readAllBytes(output.resolve("model.safetensors"));
    Path printed = folder.resolve("printed");
    Process process =
        start(
            train(output, "--overwrite", "--steps", 100_000, "--evaluate-every", 100_000), printed);
    await(output.resolve("log.jsonl"), process);
    TimeUnit.MILLISECONDS.sleep(
        500); // some steps; another wait would be for nothing that is written
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    String text = Files.readString(printed, StandardCharsets.UTF_8);
    System.out.println(text);
    assertEquals(130, process.exitValue());
    assertTrue(text.contains("before the first validation; " + output + " keeps the model"), text);
    assertArrayEquals(before, Files.readAllBytes(output.resolve("model.safetensors")));
  }

  /** Names of labels are a file's: they move no cursor and forge no row. */
  @Test
  void namesOfLabelsArePrintedOnOneLine() throws IOException {
    Path output = folder.resolve("model");
    assertEquals(0, Run.of(train(output, "--steps", 2).toArray()).code());
    Path config = output.resolve("config.json");
    String json = Files.readString(config).replace("\"good\"", "\"good\\n\\u001b[31mbad\"");
    Files.writeString(config, json.replace("\"bad\"", "\"a\\tbad\""));
    Run run = Run.of("predict", "--model", output, "the\ncat");
    System.out.println(run.printed());
    assertEquals(0, run.code());
    assertEquals(1, run.printed().lines().filter(line -> line.contains("cat")).count());
    assertFalse(run.printed().contains("\u001b"));
    assertTrue(run.printed().contains("the\\ncat"));
  }
}

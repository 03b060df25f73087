package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A training replaces neither a model nor the checkpoints of another training, unless it is told.
 */
class OutputOptionsTest {

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
    data =
        Files.writeString(
            folder.resolve("data.tsv"),
            "text\tlabel\n" + "the good cat\tgood\nthe bad dog ran\tbad\n".repeat(20));
  }

  private List<String> arguments(Object... options) {
    return Stream.concat(
            Stream.of("train", "--model", base, "--data", data, "--batch-size", 4, "--steps", 20),
            Stream.of(options))
        .map(Object::toString)
        .toList();
  }

  private Run train(Object... options) {
    return Run.of(arguments(options).toArray());
  }

  private static void refused(Run run, String message) {
    System.out.print(run.printed());
    assertEquals(1, run.code(), run.printed());
    assertTrue(run.printed().contains(message), run.printed());
    assertEquals(1, run.printed().lines().count(), run.printed());
  }

  @Test
  void aModelIsReplacedOnlyIfToldTo() throws IOException {
    Path output = folder.resolve("model");
    Path weights = output.resolve("model.safetensors");
    assertEquals(0, train("--output", output).code());
    byte[] first = Files.readAllBytes(weights);
    // refused before anything else is looked at: neither the model nor the data exist
    refused(
        Run.of("train", "--model", "none", "--data", "none.csv", "--output", output),
        output
            + " already holds a model; name another folder with --output, or replace it with --overwrite.");
    refused(train("--output", output, "--resume", "auto"), "already holds a model");
    refused(train("--overwrite"), "--overwrite needs --output");
    assertArrayEquals(first, Files.readAllBytes(weights));
    assertEquals(0, train("--output", output, "--overwrite", "--seed", 7).code());
    assertFalse(Arrays.equals(first, Files.readAllBytes(weights)));
    assertFalse(Files.readString(output.resolve("run.yaml")).contains("overwrite"));
    Path config = Files.writeString(folder.resolve("run.yaml"), "overwrite: true\n");
    assertEquals(0, train("--output", output, "--config", config).code());
    assertArrayEquals(first, Files.readAllBytes(weights));
  }

  @Test
  void adaptersAreAModelToo() {
    Path output = folder.resolve("adapters");
    assertEquals(0, train("--output", output, "--lora", "r=2").code());
    refused(train("--output", output), "already holds a model");
  }

  @Test
  void checkpointsAreResumedOrReplaced() throws IOException {
    Path output = folder.resolve("model");
    Path weights = output.resolve("model.safetensors");
    assertEquals(0, train("--output", output, "--save-every", 5).code());
    byte[] first = Files.readAllBytes(weights);
    for (String own : List.of("auto", output.resolve("checkpoints/step-00000015").toString())) {
      Run again = train("--output", output, "--save-every", 5, "--resume", own);
      assertEquals(0, again.code(), again.printed());
      assertTrue(again.printed().contains("Goes on after step "), again.printed());
      assertArrayEquals(first, Files.readAllBytes(weights));
    }
    Path other = folder.resolve("other");
    assertEquals(0, train("--output", other).code());
    refused(
        train("--output", other, "--resume", output.resolve("checkpoints/step-00000015")),
        other + " already holds a model");

    try (Stream<Path> files = Files.list(output)) { // a training that was killed
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.delete(file);
      }
    }
    refused(train("--output", output), "resume it with --resume auto");
    assertEquals(0, train("--output", output, "--overwrite", "--seed", 7).code());
    assertTrue(Files.notExists(output.resolve("checkpoints"))); // else they would replace this one
    refused(train("--output", output, "--resume", "auto"), "already holds a model");
  }

  /** In a process of its own, whose working directory is empty. */
  private String here(Object... options) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-XX:TieredStopAtLevel=1",
                "-Dai.djl.offline=true",
                "-cp",
                absoluteClassPath(),
                TokenTune.class.getName()));
    command.addAll(arguments(options));
    command.replaceAll(
        argument -> argument.equals(base.toString()) ? base.toAbsolutePath().toString() : argument);
    Path work = Files.createDirectories(folder.resolve("work"));
    Process process =
        new ProcessBuilder(command).directory(work.toFile()).redirectErrorStream(true).start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), printed);
    return printed;
  }

  private static String absoluteClassPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  @Test
  void foldersAreNumberedIfNoneIsNamed() throws Exception {
    assertTrue(here().contains("The result will be in tokentune-model ("));
    assertTrue(here("--save-every", 5).contains("The model is in tokentune-model-2\n"));
    assertTrue(here("--lora", "r=2").contains("adapters are in tokentune-model-3:"));
    String resumed = here("--save-every", 5, "--resume", "auto");
    assertTrue(resumed.contains("Goes on after step "), resumed);
    assertTrue(resumed.contains("The model is in tokentune-model-2\n"), resumed);
    String named = here("--resume", "tokentune-model-2/checkpoints/step-00000015");
    assertTrue(named.contains("Goes on after step 15."), named);
    assertTrue(named.contains("work/tokentune-model-2\n"), named);
    try (Stream<Path> folders = Files.list(folder.resolve("work"))) {
      assertEquals(3, folders.count());
    }
  }
}

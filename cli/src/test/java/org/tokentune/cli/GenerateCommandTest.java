package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.formats.ModelFiles;
import org.tokentune.text.LanguageModel;

/** The command prints the text and nothing else. */
class GenerateCommandTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");
  private static final Path TINY = GOLDEN.resolve("gguf/tiny-f32.gguf");
  private static final Path STORIES = Path.of("../../shared/data/stories260K");
  private static final String STORY =
      "Once upon a time, there was a little girl named Lily. She loved to play outside in the park."
          + " One day, she saw a big, red ball. She wanted to play with it, but it was too high";

  @TempDir private Path folder;

  @Test
  void tellsTheStory() {
    assumeTrue(Files.isDirectory(STORIES), "skipped: ../shared/data is not here");
    Run run =
        Run.of(
            "generate", "--model", STORIES, "--prompt", "", "--temperature", 0, "--max-tokens", 60);
    System.out.print(run.printed());
    assertEquals(0, run.code());
    assertEquals(STORY + System.lineSeparator(), run.printed());
    Run continued =
        Run.of(
            "generate",
            "--model",
            STORIES,
            "--prompt",
            "Once upon a time, there was",
            "--temperature",
            0,
            "--max-tokens",
            5);
    System.out.print(continued.printed());
    assertEquals(" a little girl" + System.lineSeparator(), continued.printed());
  }

  @Test
  void samplesBySeed() throws IOException {
    Path json = folder.resolve("result.json");
    Object[] command = {
      "generate",
      "--model",
      TINY,
      "--prompt",
      "One day",
      "--max-tokens",
      20,
      "--top-k",
      50,
      "--json",
      json,
      "--seed",
      3
    };
    Run first = Run.of(command);
    assertEquals(0, first.code(), first.printed());
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    assertEquals(20, result.path("ids").size());
    assertEquals(result.path("text").asText() + System.lineSeparator(), first.printed());
    assertEquals(first, Run.of(command));
    command[command.length - 1] = 4;
    assertNotEquals(first, Run.of(command));
  }

  /** What the user does not say, the model's generation_config.json does. */
  @Test
  void takesTheModelsSettings() throws IOException {
    Path model = folder.resolve("model");
    try (ModelFiles files = ModelFiles.open(TINY);
        LanguageModel decoder = LanguageModel.open(files, null)) {
      decoder.save(model);
    }
    Path settings = model.resolve("generation_config.json");
    String greedy = text(model, "--temperature", 0);
    Files.writeString(settings, "{\"do_sample\": false, \"eos_token_id\": 2}");
    assertEquals(greedy, text(model));
    assertNotEquals(greedy, text(model, "--temperature", 5), "options come first");
    Files.writeString(settings, "{\"do_sample\": true, \"top_k\": 1, \"temperature\": 3.0}");
    assertEquals(greedy, text(model));
    assertNotEquals(greedy, text(model, "--top-k", 500));
    Files.writeString(settings, "{\"do_sample\": true, \"temperature\": 9.0, \"top_p\": 1.0}");
    assertNotEquals(greedy, text(model));
    JsonNode ids = result(model, "--temperature", 0).path("ids");
    Files.writeString(settings, "{\"eos_token_id\": [2, " + ids.path(3) + "]}");
    JsonNode ended = result(model, "--temperature", 0);
    assertEquals(3, ended.path("ids").size());
    assertEquals("end_token", ended.path("end").asText());
  }

  private String text(Path model, Object... options) throws IOException {
    return result(model, options).path("text").asText();
  }

  private JsonNode result(Path model, Object... options) throws IOException {
    Path json = folder.resolve("result.json");
    List<Object> command =
        new ArrayList<>(List.of("generate", "--model", model, "--prompt", "The king"));
    command.addAll(List.of("--max-tokens", 8, "--json", json));
    command.addAll(List.of(options));
    Run run = Run.of(command.toArray());
    assertEquals(0, run.code(), run.printed());
    return new ObjectMapper().readTree(json.toFile());
  }

  @Test
  void readsPromptsFromAFile() throws IOException {
    Path file = folder.resolve("prompts.jsonl");
    Files.writeString(
        file, "{\"text\": \"The king\"}\n{\"text\": \"One day\"}\n{\"text\": \"The\"}\n");
    Path json = folder.resolve("result.json");
    Run run =
        Run.of(
            "generate",
            "--model",
            TINY,
            "--input",
            file,
            "--batch-size",
            2,
            "--max-tokens",
            8,
            "--repetition-penalty",
            1.3,
            "--min-p",
            0.02,
            "--json",
            json);
    assertEquals(0, run.code(), run.printed());
    JsonNode texts = new ObjectMapper().readTree(json.toFile()).path("texts");
    assertEquals(3, texts.size());
    assertEquals(3, run.printed().lines().count());
    assertEquals("The king", texts.path(0).path("prompt").asText());
    assertEquals(
        text(TINY, "--repetition-penalty", 1.3, "--min-p", 0.02),
        texts.path(0).path("text").asText());
  }

  @Test
  void searchesAndStops() throws IOException {
    Object[] beams = {"--beams", 3, "--length-penalty", 0.5, "--early-stopping", "never"};
    String free = text(TINY, beams);
    String greedy = text(TINY, "--temperature", 0);
    String stop = greedy.substring(4, 6);
    JsonNode stopped = result(TINY, "--temperature", 0, "--stop", stop);
    assertEquals("stop", stopped.path("end").asText());
    assertEquals(greedy.substring(0, greedy.indexOf(stop)), stopped.path("text").asText());
    Path model = folder.resolve("searched");
    try (ModelFiles files = ModelFiles.open(TINY);
        LanguageModel decoder = LanguageModel.open(files, null)) {
      decoder.save(model);
    }
    Files.writeString(
        model.resolve("generation_config.json"),
        "{\"num_beams\": 3, \"length_penalty\": 0.5, \"early_stopping\": \"never\"}");
    assertEquals(free, text(model));
    assertNotEquals(free, text(model, "--temperature", 5), "sampling on the command line");
  }

  @Test
  void refusesInASentence() {
    refuses("generate", "--model", TINY, "--min-p", "2");
    refuses("generate", "--model", TINY, "--repetition-penalty", "0");
    refuses("generate", "--model", TINY, "--stop", "");
    refuses("generate", "--model", TINY, "--beams", "0");
    refuses("generate", "--model", TINY, "--beams", "2", "--top-k", "5");
    refuses("generate", "--model", TINY, "--length-penalty", "2");
    refuses("generate", "--model", TINY, "--input", "a.csv", "--prompt", "b");
    refuses("generate", "--model", TINY, "--temperature", "-1");
    refuses("generate", "--model", TINY, "--top-p", "0");
    refuses("generate", "--model", TINY, "--prompt", "a ".repeat(5000));
    refuses("generate", "--model", "all-minilm-l6-v2", "--prompt", "a");
  }

  private static void refuses(Object... arguments) {
    Run run = Run.of(arguments);
    System.out.print(run.printed());
    assertEquals(1, run.code());
    assertEquals(1, run.printed().lines().count());
    assertFalse(run.printed().contains("Exception"));
  }
}

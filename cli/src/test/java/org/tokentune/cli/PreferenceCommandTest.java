package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreferenceCommandTest {

  private static final Path MODEL =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf");

  private static final String TEXTS =
      "{\"prompt\": \"Say it.\", \"chosen\": \" It was happy.\", \"rejected\": \" It was sad.\"}\n";

  private static final String CHAT =
      "{\"chosen\": [{\"role\": \"user\", \"content\": \"Say\"}, {\"role\": \"assistant\","
          + " \"content\": \"happy\"}], \"rejected\": [{\"role\": \"user\", \"content\": \"Say\"},"
          + " {\"role\": \"assistant\", \"content\": \"sad\"}]}\n";

  @TempDir private Path folder;

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private Run train(Path data, String output, Object... more) {
    List<Object> arguments = new ArrayList<>(List.of("train", "--task", "dpo", "--model", MODEL));
    Collections.addAll(arguments, "--data", data, "--template", "plain", "--batch-size", 2);
    Collections.addAll(arguments, "--output", folder.resolve(output));
    Collections.addAll(arguments, more);
    Run run = Run.of(arguments.toArray());
    System.out.print(run.printed());
    return run;
  }

  private JsonNode evaluate(Path data, Object... more) throws IOException {
    Path json = folder.resolve("scores.json");
    List<Object> arguments = new ArrayList<>(List.of("evaluate", "--task", "dpo", "--data", data));
    Collections.addAll(arguments, "--template", "plain", "--json", json);
    Collections.addAll(arguments, more);
    Run run = Run.of(arguments.toArray());
    System.out.print(run.printed());
    assertEquals(0, run.code());
    return new ObjectMapper().readTree(json.toFile());
  }

  @Test
  void adaptersLearnPreferences() throws IOException {
    Path rows = write("rows.jsonl", (TEXTS + CHAT).repeat(8));
    for (String tokens : List.of("all", "30%")) {
      String output = tokens.replace("%", "");
      Run run =
          train(
              rows,
              output,
              "--lora",
              "r=4,alpha=8",
              "--tokens",
              tokens,
              "--epochs",
              4,
              "--learning-rate",
              1e-2);
      assertEquals(0, run.code());
      assertTrue(run.printed().contains("reward accuracy 100.0%"), run.printed());
      JsonNode scores =
          evaluate(rows, "--model", MODEL, "--adapter", folder.resolve(output).toString());
      assertEquals(16, scores.get("rows").asInt());
      assertEquals(1.0, scores.get("reward_accuracy").asDouble());
      assertTrue(scores.get("reward_margin").asDouble() > 0.1, scores.toString());
      assertTrue(scores.get("loss").asDouble() < Math.log(2), scores.toString());
    }
  }

  @Test
  void wholeModelsLearnPreferencesAndTiesAreNoSuccess() throws IOException {
    Path rows = write("rows.jsonl", TEXTS.repeat(8));
    assertEquals(0, train(rows, "whole", "--epochs", 2, "--learning-rate", 1e-3).code());
    Path whole = folder.resolve("whole");
    JsonNode tuned = evaluate(rows, "--model", whole, "--reference", MODEL);
    assertEquals(1.0, tuned.get("reward_accuracy").asDouble());
    JsonNode tie = evaluate(rows, "--model", MODEL, "--reference", MODEL);
    assertEquals(0.0, tie.get("reward_accuracy").asDouble());
    assertEquals(0.0, tie.get("reward_margin").asDouble());
    assertEquals(Math.log(2), tie.get("loss").asDouble(), 1e-6);
  }

  @Test
  void adaptersGoOnFromAFolder() throws IOException {
    Path rows = write("rows.jsonl", TEXTS.repeat(8));
    assertEquals(0, train(rows, "first", "--lora", "r=4,alpha=8", "--learning-rate", 1e-2).code());
    Path first = folder.resolve("first");
    Run run = train(rows, "second", "--adapter", first, "--learning-rate", 1e-2);
    assertEquals(0, run.code());
    assertTrue(run.printed().contains("reward margin"), run.printed());
    String second = folder.resolve("second").toString();
    JsonNode sinceBase = evaluate(rows, "--model", MODEL, "--adapter", second);
    JsonNode sinceFirst =
        evaluate(rows, "--model", MODEL, "--adapter", second, "--reference-adapter", first);
    JsonNode none =
        evaluate(
            rows, "--model", MODEL, "--adapter", first.toString(), "--reference-adapter", first);
    assertEquals(0.0, none.get("reward_margin").asDouble());
    double margin = sinceFirst.get("reward_margin").asDouble();
    assertTrue(margin > 0 && margin < sinceBase.get("reward_margin").asDouble());
    refuses("leave one of them out", TEXTS, "--adapter", first, "--lora", "r=4");
    Run encoder = Run.of("train", "--adapter", first, "--output", folder.resolve("none"));
    System.out.print(encoder.printed());
    assertEquals(1, encoder.code());
    assertTrue(encoder.printed().contains("is a task of encoders"), encoder.printed());
  }

  private void refuses(String message, String rows, Object... more) throws IOException {
    Run run = train(write("bad.jsonl", rows), "none", more);
    assertEquals(1, run.code());
    assertTrue(run.printed().contains(message), run.printed());
  }

  @Test
  void badInputEndsInASentence() throws IOException {
    refuses(
        "bad.jsonl, line 2: chosen and rejected are equal",
        TEXTS + "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"b\"}\n");
    refuses(
        "bad.jsonl, line 1: chosen has no message of the assistant",
        CHAT.replaceFirst("assistant", "user"));
    refuses("line 1 has no preferences", "{\"prompt\": \"a\", \"chosen\": \"b\"}\n");
    refuses("8 of 8 preferences are left out", TEXTS.repeat(8), "--max-length", 2);
    refuses("beta must be above 0", TEXTS, "--beta", 0);
    Run run = Run.of("evaluate", "--task", "dpo", "--model", MODEL, "--data", write("r", TEXTS));
    System.out.print(run.printed());
    assertEquals(1, run.code());
    assertTrue(run.printed().contains("against a reference"), run.printed());
  }
}

package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Decoders from a file to a tuned folder. */
class LanguageCommandsTest {

  private static final Path MODEL =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf");

  @TempDir private Path folder;

  @Test
  void trainsOnPlainTextAndOnInstructions() throws IOException {
    Path text =
        Files.writeString(
            folder.resolve("text.txt"), "One day a dog ran out to play. It was happy. ".repeat(60));
    Path tasks =
        Files.writeString(
            folder.resolve("tasks.jsonl"),
            "{\"instruction\": \"Say it\", \"input\": \"\", \"output\": \"It was happy.\"}\n"
                .repeat(40));
    double untuned = loss("lm", MODEL, text, "untuned", 1, 1e-9, "--accumulate", 1);
    double tuned = loss("lm", MODEL, text, "tuned", 60, 1e-3, "--accumulate", 2);
    Path saved = folder.resolve("tuned");
    double again = loss("lm", saved, text, "again", 1, 1e-9, "--accumulate", 1);
    double answers = loss("instruct", saved, tasks, "answers", 40, 1e-3, "--template", "plain");
    Path evaluation = folder.resolve("evaluation.json");
    Run evaluated =
        Run.of(
            "evaluate",
            "--model",
            folder.resolve("answers"),
            "--data",
            tasks,
            "--template",
            "plain",
            "--json",
            evaluation);
    assertEquals(0, evaluated.code(), evaluated.printed());
    System.out.println(evaluated.printed());
    JsonNode scores = new ObjectMapper().readTree(evaluation.toFile());
    assertEquals(answers, scores.path("loss").asDouble(), 1e-3); // all instructions are alike
    System.out.printf(
        "loss on held-out text %.3f, tuned %.3f, of the saved model %.3f; of answers %.3f%n",
        untuned, tuned, again, answers);
    assertTrue(tuned < untuned - 1, "learned little");
    assertEquals(tuned, again, 1e-3);
    assertTrue(answers < 1, "learned little of the answers");
  }

  @Test
  void streamsPlainText() throws IOException {
    Path text =
        Files.writeString(
            folder.resolve("large.txt"),
            "One day a dog ran out to play. It was happy.\n".repeat(12_000));
    Path held = Files.writeString(folder.resolve("held.txt"), "It was happy. ".repeat(20));
    Path output = folder.resolve("streamed");
    Run run =
        Run.of(
            "train",
            "--task",
            "lm",
            "--model",
            MODEL,
            "--data",
            text,
            "--validation",
            held,
            "--stream",
            "--max-length",
            32,
            "--batch-size",
            4,
            "--steps",
            3,
            "--output",
            output);
    System.out.println(run.printed());
    assertEquals(0, run.code(), run.printed());
    assertTrue(run.printed().contains("540,000 bytes to stream"), run.printed());
    assertTrue(run.printed().contains("Trained 3 steps"), run.printed());
    Run endless = Run.of("train", "--task", "lm", "--model", MODEL, "--data", text, "--stream");
    assertEquals(1, endless.code());
    assertTrue(endless.printed().contains("--stream is for plain text"), endless.printed());
  }

  private double loss(
      String task,
      Path model,
      Path data,
      String output,
      int steps,
      double rate,
      String option,
      Object value)
      throws IOException {
    Path json = folder.resolve(output + ".json");
    Run run =
        Run.of(
            "train",
            "--task",
            task,
            "--model",
            model,
            "--data",
            data,
            "--max-length",
            32,
            "--batch-size",
            4,
            "--tokens",
            "50%",
            "--steps",
            steps,
            "--warmup",
            0,
            "--learning-rate",
            rate,
            option,
            value,
            "--output",
            folder.resolve(output),
            "--json",
            json);
    System.out.println(run.printed());
    assertEquals(0, run.code(), run.printed());
    assertTrue(run.printed().contains("perplexity"), run.printed());
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    double loss = result.path("loss").asDouble();
    assertEquals(Math.exp(loss), result.path("perplexity").asDouble(), 1e-9);
    return loss;
  }
}

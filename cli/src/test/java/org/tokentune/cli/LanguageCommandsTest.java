package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.files.Checkpoints;

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
    streamsAndResumes("lm", text, held, "A cat sat.\n");
    Run endless = Run.of("train", "--task", "lm", "--model", MODEL, "--data", text, "--stream");
    assertEquals(1, endless.code());
    assertTrue(endless.printed().contains("--stream needs --steps"), endless.printed());
  }

  @Test
  void streamsTextsOfATable() throws IOException {
    String rows = "1,\"One day a dog, a cat\nran out.\"\n".repeat(16_000);
    Path text = Files.writeString(folder.resolve("large.csv"), "id,text\n" + rows);
    Path held = Files.writeString(folder.resolve("held.csv"), "text\n" + "A cat ran.\n".repeat(20));
    streamsAndResumes("lm", text, held, "2,A cat sat.\n");
    Path body =
        Files.writeString(
            folder.resolve("body.csv"), "id,body\n" + "1,One day a dog ran.\n".repeat(20));
    Run named = Run.of("evaluate", "--model", MODEL, "--data", body, "--text", "body");
    assertEquals(0, named.code(), named.printed());
    Run usual = Run.of("evaluate", "--model", MODEL, "--data", body);
    assertTrue(usual.printed().contains("body.csv has no column text"), usual.printed());
  }

  @Test
  void streamsInstructions() throws IOException {
    String task = "{\"instruction\": \"Say it\", \"output\": \"It was happy%s.\"}\n";
    String three = task.formatted("") + task.formatted(" and sad") + task.formatted(", but not I");
    Path tasks = Files.writeString(folder.resolve("large.jsonl"), three.repeat(3_000));
    Path held = Files.writeString(folder.resolve("held.jsonl"), three);
    streamsAndResumes("instruct", tasks, held, task.formatted(" now"));
    Run share = stream("instruct", tasks, Path.of("10%"), folder.resolve("none"), "--seed", 1);
    assertEquals(1, share.code());
    assertTrue(share.printed().contains("A stream cannot give a share"), share.printed());
  }

  private static String tasks(int fitting, int tooLong) {
    String task = "{\"instruction\": \"%s\", \"output\": \"It was happy.\"}\n";
    return task.formatted("Say it").repeat(fitting)
        + task.formatted("Say it again and again. ".repeat(20)).repeat(tooLong);
  }

  private static Run instruct(String command, Path data, Object... more) {
    List<Object> arguments = new ArrayList<>(List.of(command, "--model", MODEL, "--data", data));
    arguments.addAll(List.of("--task", "instruct", "--template", "plain", "--max-length", 32));
    arguments.addAll(List.of(more));
    return Run.of(arguments.toArray());
  }

  @Test
  void countsInstructionsThatAreLeftOut() throws IOException {
    Path some = Files.writeString(folder.resolve("some.jsonl"), tasks(20, 8));
    Path held = Files.writeString(folder.resolve("held.jsonl"), tasks(3, 1));
    Path none = Files.writeString(folder.resolve("none.jsonl"), tasks(0, 4));
    Path out = folder.resolve("out");
    String fits = "after their prompts, nothing of their answers fits into 32 tokens";
    Run file = instruct("train", some, "--validation", held, "--steps", 1, "--output", out);
    System.out.println(file.printed());
    assertEquals(0, file.code(), file.printed());
    says(file, "some.jsonl: 8 of 28 instructions are left out: " + fits);
    says(file, "held.jsonl: 1 of 4 instructions are left out: " + fits);
    Path share = Files.copy(some, folder.resolve("share.jsonl"));
    Run split = instruct("train", share, "--steps", 1, "--output", out, "--overwrite");
    says(split, "share.jsonl: 8 of 28 instructions are left out");
    says(split, "18 rows of");
    Path scored = Files.copy(some, folder.resolve("scored.jsonl"));
    says(instruct("evaluate", scored), "scored.jsonl: 8 of 28 instructions are left out");
    Run nothing = instruct("train", none, "--output", out, "--overwrite");
    assertEquals(1, nothing.code());
    says(nothing, "none.jsonl: 4 of 4 instructions are left out");
  }

  @Test
  void countsWhatAStreamLeavesOut() throws IOException {
    Path tasks = Files.writeString(folder.resolve("large.jsonl"), tasks(3, 1).repeat(1_500));
    Path held = Files.writeString(folder.resolve("held.jsonl"), tasks(3, 0));
    Run first = streamed("instruct", tasks, held, folder.resolve("out"), "--seed", 1);
    assertTrue(
        Pattern.compile(
                "large.jsonl, as far as it was read: [0-9,]+ of [0-9,]+ instructions are left out")
            .matcher(first.printed())
            .find(),
        first.printed());
  }

  private static void says(Run run, String part) {
    assertTrue(run.printed().contains(part), run.printed());
  }

  /** From a checkpoint to the same weights; but not after another line was added. */
  private void streamsAndResumes(String task, Path data, Path held, String added)
      throws IOException {
    Path whole = folder.resolve("whole");
    Run run = streamed(task, data, held, whole, "--save-every", 2);
    assertTrue(
        run.printed().contains("%,d bytes to stream".formatted(Files.size(data))), run.printed());
    assertTrue(run.printed().contains("Trained 3 steps"), run.printed());
    Path again = folder.resolve("again");
    Path checkpoint = new Checkpoints(whole.resolve("checkpoints"), 2).newest().orElseThrow();
    Run resumed = streamed(task, data, held, again, "--resume", checkpoint);
    assertTrue(resumed.printed().contains("Goes on after step 2."), resumed.printed());
    String weights = "model.safetensors";
    assertEquals(-1, Files.mismatch(whole.resolve(weights), again.resolve(weights)));
    Files.writeString(data, added, StandardOpenOption.APPEND);
    Path refused = folder.resolve("refused");
    Run other = stream(task, data, held, refused, "--resume", checkpoint);
    assertEquals(1, other.code());
    assertTrue(
        other.printed().contains("belongs to another training (training data"), other.printed());
  }

  private static Run streamed(
      String task, Path data, Path held, Path output, String option, Object value)
      throws IOException {
    Run run = stream(task, data, held, output, option, value);
    System.out.println(run.printed());
    assertEquals(0, run.code(), run.printed());
    return run;
  }

  private static Run stream(
      String task, Path data, Path held, Path output, String option, Object value)
      throws IOException {
    return Run.of(
        "train",
        "--task",
        task,
        "--model",
        MODEL,
        "--data",
        data,
        "--validation",
        held,
        "--stream",
        "--template",
        "plain",
        "--max-length",
        32,
        "--batch-size",
        4,
        "--steps",
        3,
        "--output",
        output,
        option,
        value);
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

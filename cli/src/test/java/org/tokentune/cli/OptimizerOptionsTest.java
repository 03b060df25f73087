package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every optimizer from the command line, on a tiny decoder. */
class OptimizerOptionsTest {

  private static final Path MODEL =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf");

  @TempDir private Path folder;
  private Path text;

  @BeforeEach
  void writeText() throws IOException {
    String line = "One day a dog ran out to play. It was happy. ";
    text = Files.writeString(folder.resolve("text.txt"), line.repeat(60));
  }

  private Run train(Object... options) {
    List<Object> all = new ArrayList<>(List.of("train", "--task", "lm", "--model", MODEL));
    all.addAll(List.of("--data", text, "--max-length", 32, "--batch-size", 4));
    all.addAll(List.of("--output", folder.resolve("tuned")));
    all.addAll(Arrays.asList(options));
    return Run.of(all.toArray());
  }

  private JsonNode json(String file) throws IOException {
    return new ObjectMapper().readTree(folder.resolve(file).toFile());
  }

  /** Settings of optimizers and schedules: each changes the result. */
  @Test
  void settingsChangeTheResult() throws IOException {
    List<Object[]> settings =
        List.of(
            new Object[] {},
            new Object[] {"--betas", "0.5,0.9"},
            new Object[] {"--epsilon", "1e-2"},
            new Object[] {"--clip", "0.1", "--clip-by", "last"},
            new Object[] {"--clip", "0.1", "--clip-by", "tensor"},
            new Object[] {"--schedule", "polynomial", "--schedule-settings", "power=3,lr_end=1e-6"},
            new Object[] {"--schedule", "step", "--schedule-settings", "step_size=2"},
            new Object[] {"--schedule", "inverse_sqrt"},
            new Object[] {
              "--schedule", "cosine_with_restarts", "--schedule-settings", "num_cycles=3"
            });
    List<Double> losses = new ArrayList<>();
    for (Object[] some : settings) {
      List<Object> options = new ArrayList<>(Arrays.asList(some));
      options.addAll(List.of("--steps", 12, "--overwrite", "--json", folder.resolve("train.json")));
      Run trained = train(options.toArray());
      assertEquals(0, trained.code(), trained.printed());
      losses.add(json("train.json").path("loss").asDouble());
      System.out.println(Arrays.toString(some) + ": loss " + losses.get(losses.size() - 1));
    }
    assertEquals(settings.size(), losses.stream().distinct().count());
    assertTrue(
        train("--overwrite", "--schedule", "step")
            .printed()
            .contains("--schedule-settings of step need"));
    assertTrue(
        train("--overwrite", "--betas", "0.9").printed().contains("--betas must be two numbers"));
    assertTrue(
        train("--overwrite", "--epsilon", "0").printed().contains("--epsilon must be above 0"));
    assertTrue(
        train("--overwrite", "--decay-rate", "-0.5").printed().contains("--decay-rate must be"));
  }

  /** State as counted before the training, and after it. */
  @ParameterizedTest
  @CsvSource({
    "adamw, 0, linear, 3e-3, none",
    "sgd, 0, constant, 1e-1, none",
    "sgd, 0.9, cosine, 3e-2, none",
    "adafactor, 0, cosine, 3e-3, none",
    "lion, 0, linear, 1e-3, 1",
    "adamw8bit, 0, constant, 3e-3, none"
  })
  void trains(String optimizer, double momentum, String schedule, String rate, String clip)
      throws IOException {
    Object[] chosen = {"--optimizer", optimizer, "--momentum", momentum, "--clip", clip};
    List<Object> options = new ArrayList<>(Arrays.asList(chosen));
    options.addAll(List.of("--schedule", schedule, "--learning-rate", rate, "--steps", 30));
    options.addAll(List.of("--layer-decay", 0.9, "--lr-for", "model.norm.*=0.5"));
    options.addAll(List.of("--json", folder.resolve("train.json")));
    Run trained = train(options.toArray());
    System.out.println(trained.printed());
    assertEquals(0, trained.code(), trained.printed());
    JsonNode result = json("train.json");
    assertEquals(optimizer, result.path("optimizer").asText());
    assertEquals(momentum, result.path("momentum").asDouble());
    assertEquals(schedule, result.path("schedule").asText());
    assertEquals(0.9, result.path("layer_decay").asDouble());
    assertEquals(0.5, result.path("lr_for").path("model.norm.*").asDouble());
    double first = result.at("/evaluations/0/train_loss").asDouble();
    assertTrue(result.path("loss").asDouble() < first, "learned nothing");

    List<Object> asked = new ArrayList<>(List.of("memory", "--model", folder.resolve("tuned")));
    asked.addAll(List.of("--length", 32, "--json", folder.resolve("memory.json")));
    asked.addAll(Arrays.asList(chosen));
    Run planned = Run.of(asked.toArray());
    assertEquals(0, planned.code(), planned.printed());
    long state = json("memory.json").at("/all_tokens/optimizer_state").asLong();
    assertEquals(state, result.at("/memory/optimizer_state").asLong());
    System.out.printf(
        "%s, momentum %s: %,d bytes of state, %,d of parameters%n",
        optimizer, momentum, state, result.at("/memory/parameters").asLong());
  }

  @Test
  void badInputGetsASentence() {
    refused("--momentum is only for sgd, got 0.9 for adamw", "--momentum", 0.9);
    refused(
        "--momentum must be at least 0 and below 1, got 1.5",
        "--optimizer",
        "sgd",
        "--momentum",
        1.5);
    refused("--layer-decay must be above 0 and at most 1, got 2.0", "--layer-decay", 2);
    refused("No parameter is called model.x", "--lr-for", "model.x=2");
    refused("--lr-for must be above 0 and finite, got -1.0 for head", "--lr-for", "head=-1");
    refused("--lr-for", "--lr-for", "head");
    refused("--optimizer", "--optimizer", "adam");
    refused("--schedule", "--schedule", "step");
    refused("--warmup must be at least 0 and finite, got -1.0", "--warmup", -1);
  }

  /** Exit code 1 with a sentence at the end, or 2 with a sentence and a hint. */
  private void refused(String expected, Object... options) {
    Run run = train(options);
    List<String> lines = run.printed().lines().toList();
    String message = lines.get(lines.size() - run.code());
    System.out.println(run.code() + ": " + message);
    assertTrue(message.contains(expected), run.printed());
  }
}

package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/** {@code tokentune memory}, on a model of the zoo and on nothing but a config.json. */
class MemoryCommandTest {

  private static final String CONFIG =
      """
      {"vocab_size": 1000, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
       "intermediate_size": 256, "max_position_embeddings": 128, "type_vocab_size": 2}
      """;

  @TempDir private Path folder;

  private static Run memory(Object... options) {
    return Run.of(Stream.concat(Stream.of("memory"), Stream.of(options)).toArray());
  }

  private Path config() throws IOException {
    return Files.writeString(folder.resolve("small.json"), CONFIG);
  }

  private JsonNode json(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }

  @Test
  void printsWritesAndDraws() throws IOException {
    Path result = folder.resolve("memory.json");
    Path picture = folder.resolve("memory.png");
    Run run = memory("--batch-size", 8, "--clip", "none", "--json", result, "--picture", picture);
    System.out.println(run.printed());
    assertEquals(0, run.code(), run.printed());
    assertTrue(run.printed().contains("32 of 128 tokens"));

    JsonNode json = json(result);
    assertEquals(32, json.path("selected").asInt());
    for (String column : List.of("all_tokens", "tokentune")) {
      JsonNode report = json.path(column);
      long parameters = report.path("parameters").asLong();
      assertEquals(22_713_986L * 4, parameters);
      assertEquals(2 * parameters, report.path("optimizer_state").asLong());
      long parts = report.path("gaps").asLong();
      for (String part : List.of("activations", "gradients", "workspace", "inputs")) {
        parts += report.path(part).asLong();
      }
      assertEquals(report.path("step").asLong(), parts);
      long peak = report.path("live").path(report.path("peak_op").asInt()).asLong();
      assertEquals(parts - report.path("gaps").asLong(), peak);
    }
    long all = json.at("/all_tokens/step").asLong();
    assertTrue(json.at("/tokentune/step").asLong() < 0.5 * all);

    BufferedImage image = ImageIO.read(picture.toFile());
    assertTrue(image.getWidth() >= 800 && image.getHeight() >= 500);
  }

  /** The rectangles that are live at the peak add up to what the command prints. */
  @Test
  void thePageHasEveryBuffer() throws IOException {
    Path page = folder.resolve("plan.html");
    Path result = folder.resolve("memory.json");
    Run run = memory("--model", config(), "--length", 64, "--html", page, "--json", result);
    assertEquals(0, run.code(), run.printed());
    String html = Files.readString(page);
    String namespace = "http://www.w3.org/2000/svg";
    assertFalse(html.replace(namespace, "").matches("(?s).*(https?:|src=|href=|@import|url\\().*"));
    String start = "id=\"data\">";
    int from = html.indexOf(start) + start.length();
    JsonNode data = new ObjectMapper().readTree(html.substring(from, html.indexOf('<', from)));
    assertTrue(run.printed().contains(data.path("printed").asText()), run.printed());
    String[] columns = {"all_tokens", "tokentune"};
    for (int i = 0; i < columns.length; i++) {
      JsonNode plan = data.path("plans").path(i);
      JsonNode report = json(result).path(columns[i]);
      assertEquals(report.path("step").asLong(), plan.path("arena").asLong());
      assertEquals(report.path("live").size(), plan.path("ops").size());
      long[] live = new long[plan.path("ops").size()];
      List<JsonNode> placed = new ArrayList<>();
      for (JsonNode buffer : plan.path("buffers")) {
        assertTrue(address(buffer) >= 0 && end(buffer) <= plan.path("arena").asLong());
        for (int op = buffer.path(6).asInt(); op <= buffer.path(7).asInt(); op++) {
          live[op] += buffer.path(5).asLong();
        }
        placed.stream()
            .filter(other -> other.path(6).asInt() <= buffer.path(7).asInt())
            .filter(other -> buffer.path(6).asInt() <= other.path(7).asInt())
            .forEach(
                other ->
                    assertTrue(
                        end(other) <= address(buffer) || end(buffer) <= address(other),
                        buffer + " and " + other));
        placed.add(buffer);
      }
      for (int op = 0; op < live.length; op++) {
        assertEquals(report.path("live").path(op).asLong(), live[op], "op " + op);
      }
      System.out.printf(
          "%s: %d buffers, %,d bytes at op %d%n",
          columns[i], placed.size(), live[plan.path("peak").asInt()], plan.path("peak").asInt());
    }
    refused("--html shows one method", "--model", config(), "--fit", "1GB", "--html", page);
    refused("cannot be written", "--html", folder.resolve("no/plan.html"));
  }

  private static long address(JsonNode buffer) {
    return buffer.path(4).asLong();
  }

  private static long end(JsonNode buffer) {
    return address(buffer) + buffer.path(5).asLong();
  }

  /** Sizes of transformers' classes for the same files; of a Gemma 3, without its images. */
  @ParameterizedTest
  @CsvSource({"gemma-3-4b, 3_880_263_168", "deberta-v3-base, 184_423_682"})
  void publishedConfigurationsHaveTheSizesThatTransformersMakes(String name, String parameters) {
    ModelConfig config = Models.config("../samples/configs/" + name + ".json");
    Objective task = config.causal() ? Objectives.CAUSAL_LM : Objectives.CLASSIFY;
    int outputs = config.causal() ? config.vocabulary() : 2;
    long sum =
        config.model(new Head(task, outputs, Pooling.FIRST)).parameters().values().stream()
            .mapToLong(shape -> Arrays.stream(shape).reduce(1, (a, b) -> a * b))
            .sum();
    System.out.println(name + ": " + sum + " parameters");
    assertEquals(Long.parseLong(parameters.replace("_", "")), sum);
  }

  @Test
  void optionsChangeWhatTheyName() throws IOException {
    long usual = step();
    assertTrue(step("--tokens", "16") < step("--tokens", "32"));
    assertTrue(step("--clip", "none", "--batch-size", "1") < step("--batch-size", "1"));
    assertTrue(step("--checkpoint", "nothing") > usual);
    assertTrue(step("--trainable", "head") < usual);
    assertTrue(step("--length", "128") > usual);
    assertTrue(step("--batch-size", "64") > usual);
    Path result = folder.resolve("memory.json");
    memory("--model", config(), "--length", 64, "--optimizer", "sgd", "--json", result);
    assertEquals(0, json(result).at("/tokentune/optimizer_state").asLong());
    memory("--model", config(), "--length", 64, "--tokens", "all", "--json", result);
    assertTrue(json(result).has("all_tokens"));
    assertFalse(json(result).has("tokentune"));
  }

  /** With few activations, gradients held for clipping are all that counts. */
  @Test
  void namesThePeakAndWhatLowersIt() throws IOException {
    Run held = memory("--model", config(), "--length", 64, "--batch-size", 1);
    System.out.println(held.printed());
    assertTrue(held.printed().contains("gradients that are held"), held.printed());
    assertTrue(held.printed().contains("--clip-by last"), held.printed());
    List<String> lines = held.printed().lines().toList();
    for (int i = 0; i + 1 < lines.size(); i++) {
      boolean title = lines.get(i).startsWith("activations by");
      assertFalse(title && lines.get(i + 1).isBlank(), held.printed());
    }
    Run applied = memory("--model", config(), "--length", 64, "--batch-size", 1, "--clip-by=last");
    assertFalse(applied.printed().contains("gradients that are held"), applied.printed());
    assertTrue(applied.printed().contains("clipped by the last step's norm"), applied.printed());
    String[] options = {"--batch-size", "1", "--clip-by", "last"};
    assertEquals(step("--batch-size", "1", "--clip", "none"), step(options));
  }

  /** Bytes of a step with selected tokens. */
  private long step(String... options) throws IOException {
    Path result = folder.resolve("memory.json");
    List<Object> all = new ArrayList<>(List.of("--model", config(), "--json", result));
    if (!List.of(options).contains("--length")) {
      all.addAll(List.of("--length", 64));
    }
    all.addAll(List.of(options));
    Run run = memory(all.toArray());
    assertEquals(0, run.code(), run.printed());
    return json(result).at("/tokentune/step").asLong();
  }

  @Test
  void badInputGetsASentence() throws IOException {
    refused("There is no model bert", "--model", "bert");
    refused("--only chooses rows of --compare", "--model", "bert", "--only", "LoRA");
    refused("no folder or file no/config.json", "--model", "no/config.json");
    refused("contains no config.json", "--model", folder);
    Path broken = Files.writeString(folder.resolve("broken.json"), "{");
    refused("broken.json is not valid JSON", "--model", broken);
    Path mamba = Files.writeString(folder.resolve("m.json"), "{\"model_type\": \"mamba\"}");
    refused("model_type mamba is not supported", "--model", mamba);
    refused("--length must be 1 to 128", "--model", config(), "--length", 129);
    refused("--length must be 1 to 128", "--model", config(), "--length", 0);
    refused("Tokens 0", "--tokens", 0);
    refused("--batch-size and --outputs must be at least 1", "--batch-size", 0);
    refused("got 32 and 0", "--outputs", 0);
    refused("--clip must be above 0, got -1.0", "--clip", -1);
    refused("--clip-by", "--clip-by", "row");
    refused("neither a number nor none", "--clip", "some");
    refused("No parameter is called x.*", "--trainable", "x.*");
    refused("--checkpoint", "--checkpoint", "layers");
    refused("--optimizer", "--optimizer", "adam");
    refused("does not end in .png", "--picture", folder.resolve("x.jpg"));
    refused("cannot be written", "--picture", folder.resolve("no/x.png"));
    refused("cannot be written", "--json", folder.resolve("no/x.json"));
  }

  /** Exit code 2 with a sentence and a hint, no stack trace. */
  private static void refused(String expected, Object... options) {
    Run run = memory(options);
    List<String> lines = run.printed().lines().toList();
    String message = lines.get(lines.size() - 2);
    System.out.println(run.code() + ": " + message);
    assertEquals(2, run.code(), run.printed());
    assertTrue(message.contains(expected), run.printed());
    assertFalse(run.printed().contains("\tat "), run.printed());
  }

  @Test
  void comparesMethodsAndFindsWhatFits() throws IOException {
    Path config = config();
    Path result = folder.resolve("methods.json");
    Path picture = folder.resolve("methods.png");
    for (String full : List.of("float32", "bf16")) {
      Run run =
          memory(
              "--model",
              config,
              "--compare",
              "--full",
              full,
              "--tokens",
              "30%",
              "--json",
              result,
              "--picture",
              picture);
      System.out.println(run.printed());
      assertEquals(0, run.code(), run.printed());
      JsonNode methods = json(result).path("methods");
      assertEquals(12, methods.size());
      for (JsonNode method : methods) {
        long sum = 0;
        for (String part : List.of("weights", "gradients", "optimizer_state", "step")) {
          sum += method.path(part).asLong();
        }
        assertEquals(method.path("total").asLong(), sum);
      }
      assertEquals(800, ImageIO.read(picture.toFile()).getHeight());
    }
    refused("ends with Adapters", "--model", config, "--compare", "--only", "Adapters");
    long largest = json(result).path("methods").path(0).path("total").asLong();
    for (int share : new int[] {200, 60, 30}) {
      long budget = largest * share / 100;
      Run run = memory("--model", config, "--fit", budget + "B", "--json", result);
      System.out.println(run.printed());
      assertEquals(0, run.code(), run.printed());
      assertTrue(json(result).path("total").asLong() <= budget);
      assertTrue(run.printed().contains("tokentune train --model"));
    }
    Run run = memory("--model", config, "--fit", "10kB");
    assertEquals(2, run.code());
    assertTrue(run.printed().contains("Nothing fits into 0.0 MB"), run.printed());
  }

  @Test
  void plansExecutorsOfSpark() throws IOException {
    Path config = config();
    Path result = folder.resolve("executors.json");
    Object[] options = {"--model", config, "--executors", 4, "--only", "full", "--json", result};
    Run run = memory(options);
    System.out.println(run.printed());
    assertEquals(0, run.code(), run.printed());
    JsonNode rows = json(result).path("exchanges");
    assertEquals(5, rows.size());
    long trained = rows.path(0).path("trained").asLong();
    assertEquals(rows.path(0).path("executor").asLong(), rows.path(1).path("executor").asLong());
    assertEquals(
        3 * trained, // values of the task's own, and AdamW's two moments of each
        rows.path(4).path("executor").asLong() - rows.path(0).path("executor").asLong());
    assertEquals("direct", rows.path(2).path("exchange").asText());
    assertEquals(2 * 3 * trained, rows.path(2).path("step").asLong());
    assertEquals(
        8e-9 * 3 * trained, // of 4 links, in both directions
        rows.path(2).path("seconds").path(0).asDouble(),
        1e-12);
    assertEquals(9 * trained / 2, rows.path(3).path("step").asLong());
    List<Object> more = new ArrayList<>(List.of(options));
    more.addAll(List.of("--optimizer", "adamw8bit"));
    assertEquals(0, memory(more.toArray()).code());
    assertEquals(4, json(result).path("exchanges").size(), "no averages of state in 8 bits");
  }

  @Test
  void refusesOptionsThatWouldHaveNoEffect() throws IOException {
    Path config = config();
    Path picture = folder.resolve("none.png");
    refused("--executors must be at least 1, got 0.", "--model", config, "--executors", 0);
    refused("--picture draws one", "--model", config, "--executors", 2, "--picture", picture);
    refused("--picture draws one", "--model", config, "--fit", "1GB", "--picture", picture);
    refused("--full says how", "--model", config, "--executors", 2, "--full", "bf16");
    refused("--full says how", "--model", config, "--full", "bf16");
    refused("give one of them", "--model", config, "--executors", 2, "--fit", "1GB");
    refused("give one of them", "--model", config, "--compare", "--fit", "1GB");
    refused("--passes prints one", "--model", config, "--compare", "--passes");
    refused("--html shows one", "--model", config, "--executors", 2, "--html", "x.html");
    refused("--executors must be at least 1, got -1", "--model", config, "--executors", -1);
    assertFalse(Files.exists(picture));
  }
}

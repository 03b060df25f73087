package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares selections on tiny models. */
class SelectCommandTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");

  @TempDir private Path folder;

  private JsonNode select(String model, Path data, String tokens) throws IOException {
    Path json = folder.resolve("selections.json");
    Run run =
        Run.of(
            "select",
            "--compare",
            "--model",
            model,
            "--data",
            data,
            "--tokens",
            tokens,
            "--min-tokens",
            1,
            "--batch-size",
            4,
            "--draws",
            8,
            "--json",
            json);
    System.out.println(run.printed());
    assertEquals(0, run.code(), run.printed());
    return new ObjectMapper().readTree(json.toFile()).path("selections");
  }

  /** All tokens give the full gradient; more tokens come nearer to it than fewer. */
  @Test
  void comparesGradientsByLayer() throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(file), base.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), base.resolve("tokenizer.json"));
    Path data =
        Files.writeString(
            folder.resolve("rows.csv"),
            "text,label\n"
                + "the good cat sat on the mat with the dog,LABEL_1\n".repeat(4)
                + "the bad dog and the cat,LABEL_0\n".repeat(4));
    JsonNode selections = select(base.toString(), data, "100%,70%,20%");
    for (JsonNode layer : selections.path(0).path("layers")) {
      String name = layer.path("layer").asText();
      assertEquals(1, layer.path("cosine").asDouble(), 1e-5, name);
      assertEquals(1, layer.path("mean_norm").asDouble(), 1e-5, name);
    }
    double many = selections.at("/1/layers/0/cosine").asDouble();
    double few = selections.at("/2/layers/0/cosine").asDouble();
    assertTrue(0 < few && few < many && many < 1, few + " " + many);
  }

  @Test
  void comparesGradientsOfADecoder() throws IOException {
    JsonNode selections = select("stories260k", Path.of("../samples/stories.txt"), "25%,span:25%");
    assertEquals(2, selections.size());
    selections
        .path(1)
        .path("layers")
        .forEach(layer -> assertTrue(layer.path("cosine").asDouble() > 0, layer.toString()));
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    Path answers = Files.createDirectory(folder.resolve("answers"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolveSibling("bert-qa").resolve(file), answers.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"),
        answers.resolve("tokenizer.json"));
    Run questions = Run.of("select", "--compare", "--model", answers, "--data", "d");
    assertEquals(1, questions.code());
    assertTrue(questions.printed().contains("does not compare"), questions.printed());
    Run none = Run.of("select", "--model", "m", "--data", "d");
    assertEquals(1, none.code());
    assertTrue(none.printed().contains("give --compare"), none.printed());
    Run draws = Run.of("select", "--compare", "--model", "m", "--data", "d", "--draws", 0);
    assertEquals(1, draws.code());
    assertTrue(draws.printed().contains("--draws must be at least 1"), draws.printed());
  }
}

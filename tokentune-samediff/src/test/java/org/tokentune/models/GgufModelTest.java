package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokentune.formats.Gguf;

/** GGUF files run as llama.cpp runs them. */
class GgufModelTest {

  private static final Path GOLDEN = Path.of("src/test/resources/golden/gguf");

  /** llama.cpp rounds activations where weights are quantised: only so many ids must be equal. */
  @ParameterizedTest
  @CsvSource({"tiny-f32.gguf, 24", "tiny-q8_0.gguf, 14"})
  void greedyIdsAreLlamaCpps(String file, int exact) throws IOException {
    JsonNode cases = new ObjectMapper().readTree(GOLDEN.resolve("greedy.json").toFile()).path(file);
    try (Gguf gguf = Gguf.open(GOLDEN.resolve(file))) {
      GreedyText model = new GreedyText(gguf.config(), gguf);
      for (JsonNode text : cases) {
        List<Integer> ids = ids(text.path("prompt_ids"));
        List<Integer> expected = ids(text.path("greedy"));
        List<Integer> actual = model.continued(ids, expected.size());
        int equal = 0;
        while (equal < actual.size() && actual.get(equal).equals(expected.get(equal))) {
          equal++;
        }
        System.out.printf("%s: %d of %d greedy ids equal%n", file, equal, expected.size());
        assertEquals(expected.subList(0, exact), actual.subList(0, exact));
      }
    }
  }

  /**
   * The files were written by llama.cpp's own converter, from models of transformers; llama.cpp
   * continues with the same ids. Windows (8 positions in Gemma) are shorter than the texts.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "qwen3",
        "qwen3-yarn",
        "smollm3",
        "olmo2",
        "phi3",
        "phi3-longrope",
        "gemma2",
        "gemma3",
        "granite"
      })
  void familiesContinueAsInTransformers(String name) throws IOException {
    JsonNode text =
        new ObjectMapper().readTree(GOLDEN.resolve("families.json").toFile()).path(name);
    try (Gguf gguf = Gguf.open(GOLDEN.resolve(name + ".gguf"))) {
      GreedyText model = new GreedyText(gguf.config(), gguf);
      List<Integer> prompt = ids(text.path("prompt_ids"));
      float[] logits = model.logits(prompt);
      assertEquals(text.path("logits").size(), logits.length);
      double worst = 0;
      for (int i = 0; i < logits.length; i++) {
        worst = Math.max(worst, Math.abs(logits[i] - text.path("logits").path(i).doubleValue()));
      }
      List<Integer> expected = ids(text.path("greedy"));
      System.out.printf(
          "%s: logits differ by %.1e; continued with %s%n",
          name, worst, model.continued(prompt, expected.size()));
      assertTrue(worst <= 1e-5, name + " " + worst);
      assertEquals(expected, model.continued(prompt, expected.size()));
    }
  }

  private static List<Integer> ids(JsonNode array) {
    List<Integer> ids = new ArrayList<>();
    array.forEach(id -> ids.add(id.intValue()));
    return ids;
  }
}

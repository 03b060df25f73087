package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

  private static List<Integer> ids(JsonNode array) {
    List<Integer> ids = new ArrayList<>();
    array.forEach(id -> ids.add(id.intValue()));
    return ids;
  }
}

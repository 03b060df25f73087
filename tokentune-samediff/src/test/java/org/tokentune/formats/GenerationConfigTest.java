package org.tokentune.formats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tokentune.BadInputException;

class GenerationConfigTest {

  private static GenerationConfig read(String json) throws JsonProcessingException {
    return GenerationConfig.read(
        CompanionFiles.of(
            "model", Map.of(CompanionFiles.GENERATION_CONFIG, new ObjectMapper().readTree(json))));
  }

  @Test
  void readsAllSettings() throws JsonProcessingException {
    GenerationConfig config =
        read(
            """
            {"bos_token_id": 1, "eos_token_id": [2, 7], "do_sample": true, "temperature": 0.6,
             "top_k": 20, "top_p": 0.9, "repetition_penalty": 1.1, "max_new_tokens": 5,
             "min_p": 0.05, "stop_strings": "User:", "num_beams": 3}
            """);
    assertEquals(
        new GenerationConfig(
            List.of(1),
            List.of(2, 7),
            true,
            0.6,
            20,
            0.9,
            0.05,
            1.1,
            null,
            null,
            null,
            List.of("User:")),
        config);
    GenerationConfig beams =
        read(
            """
            {"num_beams": 3, "length_penalty": -0.5, "early_stopping": "never",
             "stop_strings": ["a", "b"]}
            """);
    assertEquals(3, beams.beams());
    assertEquals(-0.5, beams.lengthPenalty());
    assertEquals("never", beams.earlyStopping());
    assertEquals(List.of("a", "b"), beams.stops());
    assertEquals("true", read("{\"early_stopping\": true}").earlyStopping());
    GenerationConfig none = GenerationConfig.read(CompanionFiles.NONE);
    assertEquals(List.of(), none.ends());
    assertNull(none.sampled());
    assertNull(none.temperature());
    assertEquals(List.of(3), read("{\"eos_token_id\": 3, \"top_p\": null}").ends());
  }

  @Test
  void rejectsInvalidValues() {
    for (String json :
        List.of(
            "{\"eos_token_id\": \"</s>\"}",
            "{\"eos_token_id\": [-1]}",
            "{\"temperature\": -1}",
            "{\"do_sample\": 1}",
            "{\"repetition_penalty\": 0}",
            "{\"num_beams\": 0}",
            "{\"early_stopping\": \"soon\"}",
            "{\"stop_strings\": [1]}",
            "[1]")) {
      String message = assertThrows(BadInputException.class, () -> read(json)).getMessage();
      assertTrue(message.startsWith("model/generation_config.json"), message);
    }
  }
}

package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands of the zoo, and what they say to bad input; nothing is asked of any network. */
class ZooCommandTest {

  @TempDir private Path folder;

  private static void refused(Run run, String message) {
    assertEquals(1, run.code(), run.printed());
    assertTrue(run.printed().contains(message), run.printed());
    assertEquals(1, run.printed().lines().count(), run.printed());
  }

  @Test
  void listsAndPlansModels() throws IOException {
    Path json = folder.resolve("zoo.json");
    Run list = Run.of("zoo", "list", "--json", json);
    assertEquals(0, list.code(), list.printed());
    System.out.println(list.printed());
    JsonNode models = new ObjectMapper().readTree(json.toFile()).path("models");
    assertEquals(list.printed().lines().count(), models.size());
    assertEquals("all-minilm-l6-v2", models.path(0).path("name").asText());
    assertEquals("Apache-2.0", models.path(0).path("licence").asText());
    assertFalse(models.path(0).has("tuning_bytes"));

    Run info = Run.of("zoo", "info", "distilbert-base-uncased", "--json", json);
    assertEquals(0, info.code(), info.printed());
    assertTrue(info.printed().contains("66,985,530"), info.printed());
    JsonNode planned = new ObjectMapper().readTree(json.toFile());
    assertEquals(4 * 66_955_010L, planned.path("tokentune").path("parameters").asLong());
    assertTrue(
        planned.path("tokentune").path("step").asLong()
            < planned.path("all_tokens").path("step").asLong());

    Run memory =
        Run.of("memory", "--model", "distilbert-base-uncased", "--clip", "none", "--batch-size", 8);
    assertEquals(0, memory.code(), memory.printed());
    double step = planned.path("all_tokens").path("step").asLong() / 1e6;
    assertTrue(memory.printed().contains("%.1f".formatted(step)), memory.printed());
  }

  /** Before anything is read or downloaded: the data do not exist either. */
  @Test
  void tasksAreCheckedByTheCatalogue() {
    Object output = folder.resolve("out");
    for (String task : new String[] {"lm", "instruct"}) {
      refused(
          Run.of(
              "train",
              "--task",
              task,
              "--model",
              "bert-base-uncased",
              "--data",
              "none.txt",
              "--output",
              output),
          "bert-base-uncased is an encoder, which does not support language modelling; name a decoder");
    }
    refused(
        Run.of(
            "train", "--task", "qa", "--model", "gpt2", "--data", "none.json", "--output", output),
        "gpt2 is a decoder, which does not support this task (qa); name an encoder");
    refused(Run.of("generate", "--model", "roberta-base", "--prompt", "x"), "is an encoder");
  }

  @Test
  void verifiesArtifacts() {
    Run fetched = Run.of("zoo", "fetch", "all-minilm-l6-v2");
    assertEquals(0, fetched.code(), fetched.printed());
    Run verified = Run.of("zoo", "verify", "all-minilm-l6-v2");
    assertEquals(0, verified.code(), verified.printed());
    assertTrue(verified.printed().contains(fetched.printed().strip()), verified.printed());
  }

  @Test
  void answersBadInput() {
    refused(Run.of("zoo", "info", "bert-huge"), "There is no model bert-huge; the nearest names");
    refused(Run.of("zoo", "info", "hf:a/b"), "There is no model hf:a/b");
    refused(Run.of("zoo", "fetch", "hf:a/b/c"), "hf:a/b/c is not an address on the hub");
    refused(Run.of("zoo", "verify", "http://"), "http:// is not the address of a model");
    refused(Run.of("zoo", "verify", "hf:no-such/model"), "is not here; fetch it first");
    refused(Run.of("zoo", "remove", "hf:no-such/model"), "there is nothing to remove");
    refused(Run.of("predict", "--model", "hf:a b", "x"), "hf:a b is not an address on the hub");
    refused(Run.of("fill", "--model", "all-minilm-l6-v2", "a [MASK]"), "has no tensor cls.");
    refused(Run.of("fill", "--top", 0, "a [MASK]"), "--top must be at least 1, got 0.");
    assertEquals(2, Run.of("zoo").code());
    assertEquals(2, Run.of("zoo", "fetch").code());
  }
}

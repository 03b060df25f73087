package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What commands say of prompts, and of texts that were cut. */
class SentenceCommandsTest {

  private static final Path FIXTURES = Path.of("../datasets/src/test/resources");

  @TempDir private Path folder;

  private Path model() throws IOException {
    Path model = Files.createDirectories(folder.resolve("model"));
    try (Stream<Path> files = Files.list(FIXTURES.resolve("sentences/bert"))) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(file.getFileName()));
      }
    }
    Files.copy(FIXTURES.resolve("tokenizers/bert.json"), model.resolve("tokenizer.json"));
    return model;
  }

  private JsonNode run(Object... command) throws IOException {
    Path json = folder.resolve("result.json");
    Object[] all = Stream.concat(Stream.of(command), Stream.of("--json", json)).toArray();
    Run run = Run.of(all);
    System.out.print(run.printed());
    assertEquals(0, run.code(), run.printed());
    return new ObjectMapper().readTree(json.toFile());
  }

  @Test
  void promptsStandBeforeTexts() throws IOException {
    Path model = model();
    Files.writeString(
        model.resolve("modules.json"),
        """
        [{"type": "sentence_transformers.models.Transformer", "path": ""},
         {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]
        """);
    Files.createDirectory(model.resolve("1_Pooling"));
    Files.writeString(model.resolve("1_Pooling/config.json"), "{\"pooling_mode\": \"mean\"}");
    Files.writeString(
        model.resolve("config_sentence_transformers.json"),
        "{\"prompts\": {\"ask\": \"the king said \"}}");
    JsonNode written = run("embed", "--model", model, "the king said hi").path("embeddings");
    JsonNode named = run("embed", "--model", model, "--prompt", "ask", "hi").path("embeddings");
    JsonNode text =
        run("embed", "--model", model, "--prompt", "the king said ", "hi").path("embeddings");
    JsonNode without = run("embed", "--model", model, "hi").path("embeddings");
    assertEquals(written.at("/0/vector"), named.at("/0/vector"));
    assertEquals(written.at("/0/vector"), text.at("/0/vector"));
    assertNotEquals(written.at("/0/vector"), without.at("/0/vector"));
    assertEquals("hi", named.at("/0/text").asText());
  }

  @Test
  void wordsThatWereCutHaveNoTags() throws IOException {
    Path data = folder.resolve("tags.jsonl");
    Files.writeString(data, "{\"text\": \"hi hi the king\", \"label\": \"A B A B\"}\n".repeat(20));
    Path trained = folder.resolve("trained");
    run(
        "train",
        "--task",
        "token",
        "--model",
        model(),
        "--data",
        data,
        "--max-length",
        5,
        "--steps",
        1,
        "--output",
        trained);
    Run printed = Run.of("predict", "--model", trained, "hi hi the king", "hi hi");
    assertEquals(2, printed.printed().lines().filter(line -> line.contains("\thi hi")).count());
    assertTrue(printed.printed().lines().anyMatch(line -> line.contains(" ...\thi hi the king")));
    JsonNode result = run("predict", "--model", trained, "hi hi the king", "hi hi");
    assertEquals(4, result.at("/predictions/0/labels").size()); // one for each word
    assertEquals("", result.at("/predictions/0/labels/3").asText());
    assertEquals(1, result.at("/predictions/0/cut").asInt());
    assertTrue(result.at("/predictions/1/cut").isMissingNode());
  }

  @Test
  void comparesTexts() throws IOException {
    Path model = model();
    JsonNode cosines =
        run("embed", "--model", model, "--similar", "hi", "the king", "hi").path("cosines");
    assertEquals(1, cosines.at("/0/0").asDouble(), 1e-6);
    assertEquals(1, cosines.at("/0/2").asDouble(), 1e-6);
    assertEquals(cosines.at("/0/1").asDouble(), cosines.at("/1/2").asDouble(), 1e-6);
    JsonNode found =
        run("embed", "--model", model, "--query", "hi", "--top-k", 2, "the king", "hi", "king");
    assertEquals(2, found.path("texts").size());
    assertEquals("hi", found.at("/texts/0/text").asText());
    Run refused = Run.of("embed", "--model", model, "--similar", "--query", "hi", "hi");
    assertEquals(1, refused.code());
    JsonNode rounded = run("embed", "--model", model, "--weights", "int8", "hi").path("embeddings");
    assertEquals(1, rounded.size());
  }

  @Test
  void explainsDecisions() throws IOException {
    Path data = folder.resolve("classes.jsonl");
    Files.writeString(
        data,
        "{\"text\": \"hi the king\", \"label\": \"<A>\"}\n{\"text\": \"hi hi\", \"label\": \"B\"}\n"
            .repeat(10));
    Path trained = folder.resolve("trained");
    run(
        "train",
        "--model",
        model(),
        "--data",
        data,
        "--steps",
        2,
        "--max-length",
        8,
        "--output",
        trained);
    Path html = folder.resolve("page.html");
    JsonNode result =
        run(
            "predict",
            "--model",
            trained,
            "--explain",
            "--html",
            html,
            "--top",
            2,
            "hi <script> & the king said hi hi hi hi");
    JsonNode tokens = result.at("/predictions/0/explanation/tokens");
    assertEquals(8, tokens.size()); // the rest was cut off
    assertTrue(tokens.at("/0/left_out").isMissingNode());
    assertEquals("hi", tokens.at("/1/token").asText());
    String page = Files.readString(html);
    assertTrue(page.contains("script") && !page.contains("<script"), page);
    assertTrue(page.contains("&amp;") && page.contains("hi hi hi</p>"), page);
    for (Object[] wrong :
        new Object[][] {
          {"predict", "--model", trained, "--html", html, "hi"},
          {"predict", "--model", trained, "--explain", "--top", 0, "hi"},
          {"predict", "--model", trained, "--explain", "--html", folder, "hi"}
        }) {
      Run refused = Run.of(wrong);
      System.out.print(refused.printed());
      assertEquals(1, refused.code());
      assertEquals(1, refused.printed().lines().count());
    }
  }
}

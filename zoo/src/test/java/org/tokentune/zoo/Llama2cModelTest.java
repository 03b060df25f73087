package org.tokentune.zoo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadFileException;
import org.tokentune.zoo.Llama2cModel.HubFile;
import org.tokentune.zoo.RawServer.Reply;

/** Downloads from a hub on localhost, of files with known checksums. */
class Llama2cModelTest {

  private static final byte[] WEIGHTS = "not really weights".getBytes(StandardCharsets.UTF_8);
  private static final byte[] VOCABULARY = "nor words".getBytes(StandardCharsets.UTF_8);

  @TempDir private Path folder;

  private Llama2cModel model(URI endpoint, boolean offline) {
    ZooSettings settings =
        new ZooSettings(endpoint, folder, folder, null, offline, Duration.ofMillis(1));
    return new Llama2cModel(
        "owner/name",
        folder.resolve("model"),
        endpoint + "/owner/name/resolve/main",
        new HubFile("a/small.bin", WEIGHTS.length, Checksums.sha256("not really weights")),
        new HubFile("a/tok9.bin", VOCABULARY.length, Checksums.sha256("nor words")),
        JsonNodeFactory.instance.objectNode(),
        settings);
  }

  private static RawServer server(Map<String, byte[]> files) throws IOException {
    return new RawServer(
        request -> {
          byte[] content = files.get(request.path());
          return content == null
              ? Reply.status(404)
              : Reply.of(200, Map.of("ETag", "\"1\""), content);
        });
  }

  private static String message(Supplier<?> work) {
    String message = assertThrows(BadFileException.class, work::get).getMessage();
    System.out.println(message);
    return message;
  }

  @Test
  void fetchesOnceAndChecksEveryFile() throws IOException {
    Map<String, byte[]> files = new HashMap<>();
    files.put("/owner/name/resolve/main/a/small.bin", WEIGHTS);
    files.put("/owner/name/resolve/main/a/tok9.bin", VOCABULARY);
    try (RawServer server = server(files)) {
      Llama2cModel model = model(server.uri(""), false);
      assertFalse(model.isLocal());
      assertTrue(message(model::verify).contains("fetch it first"));
      Path weights = model.fetch(DownloadListener.NONE);
      assertEquals(folder.resolve("model").resolve("small.bin"), weights);
      assertEquals("not really weights", Files.readString(weights));
      assertEquals("nor words", Files.readString(weights.resolveSibling("tok9.bin")));
      assertTrue(model.isLocal());
      List<String> lines = model.verify();
      assertEquals(2, lines.size());
      model.fetch(DownloadListener.NONE); // asks nobody
      model(URI.create("http://localhost:9"), true).fetch(DownloadListener.NONE);
      Files.writeString(weights, "really not weights");
      assertTrue(message(() -> model.fetch(DownloadListener.NONE)).contains("damaged"));
      model.remove();
      assertFalse(model.isLocal());
    }
  }

  @Test
  void refusesAnotherFileAndSaysWhereToPutTheRightOne() throws IOException {
    Map<String, byte[]> files = new HashMap<>();
    files.put("/owner/name/resolve/main/a/tok9.bin", WEIGHTS);
    try (RawServer server = server(files)) {
      Llama2cModel model = model(server.uri(""), false);
      assertTrue(message(() -> model.fetch(DownloadListener.NONE)).contains("SHA-256"));
      try (var left = Files.list(folder.resolve("model"))) {
        assertEquals(List.of(".lock"), left.map(Path::getFileName).map(Path::toString).toList());
      }
      files.put("/owner/name/resolve/main/a/tok9.bin", VOCABULARY);
      assertTrue(message(() -> model.fetch(DownloadListener.NONE)).contains("404"));
      assertTrue(
          message(() -> model(server.uri(""), true).fetch(DownloadListener.NONE))
              .contains("HF_HUB_OFFLINE"));
    }
  }
}

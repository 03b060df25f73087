package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What keeps a server from starting is one sentence; acceptance/serve.sh starts some. */
class ServeCommandTest {

  private static final Path TINY =
      Path.of("../tokentune-samediff/src/test/resources/golden/gguf/tiny-f32.gguf");

  private static void refused(int code, String said, Object... arguments) {
    Run run = Run.of(arguments);
    System.out.print(run.printed());
    List<String> lines = run.printed().lines().toList();
    assertEquals(code, run.code());
    assertTrue(lines.get(0).contains(said), run.printed());
    assertEquals(code, lines.size(), run.printed()); // wrong usage also points to the help
  }

  @Test
  void aPortInUseIsOneSentence() throws IOException {
    try (ServerSocket taken = new ServerSocket(0)) {
      int port = taken.getLocalPort();
      refused(
          1,
          "--port " + port + " of 0.0.0.0",
          "serve",
          "--model",
          TINY,
          "--host",
          "0.0.0.0",
          "--port",
          port);
    }
  }

  @Test
  void aModelHasTheNameOfItsFolderOrAddress(@TempDir Path folder) throws IOException {
    Path at = Files.createDirectory(folder.resolve("x@y"));
    Map<String, String> names = new LinkedHashMap<>();
    names.put("hf:owner/name", "name");
    names.put("hf:owner/name@main", "name");
    names.put("hf:owner/name@refs/pr/1", "name");
    names.put("hf:name@v1.0", "name");
    names.put("https://host.example/models/name.gguf", "name.gguf");
    names.put("https://host.example/models/name/", "name");
    names.put("smollm2-135m", "smollm2-135m");
    names.put(at.toString(), "x@y");
    names.put(at + "/.", "x@y");
    names.put(TINY.toString(), "tiny-f32.gguf");
    names.put("/", "model");
    names.forEach((model, name) -> assertEquals(name, ServeCommand.defaultName(model), model));
    System.out.println(names.size() + " models have the names of their folders and addresses");
  }

  @Test
  void unusableOptionsAreNamed() {
    refused(1, "--queue must be 1 to 2000, got 0.", "serve", "--model", TINY, "--queue", 0);
    refused(1, "--api-key", "serve", "--model", TINY, "--api-key", "");
    refused(1, "--api-key must be", "serve", "--model", TINY, "--api-key", "a b");
    refused(1, "nowhere", "serve", "--model", TINY, "--port", 0, "--adapter", "a=nowhere");
    refused(2, "--adapter", "serve", "--model", TINY, "--adapter", "nowhere");
    refused(1, "--cache-tokens must be", "serve", "--model", TINY, "--cache-tokens", 0);
    refused(1, "/", "serve", "--model", "/", "--port", 0);
    refused(2, "--max-body", "serve", "--model", TINY, "--max-body", "many");
  }
}

package org.tokentune.zoo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;

/** Uploads to a hub on localhost, which answers as Hugging Face's does. */
class HubUploadTest {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String TOKEN = "hf_test";
  private static final int PART = 1000;

  @TempDir private Path folder;

  private HttpServer hub;

  /** Files of commits, by path: their content, or "lfs" and the checksum. */
  private final Map<String, String> committed = new TreeMap<>();

  private final Map<String, byte[]> stored = new TreeMap<>();
  private final List<String> asked = new ArrayList<>();
  private int busy;
  private int refusal;
  private boolean exists;
  private boolean inParts;

  @BeforeEach
  void start() throws IOException {
    hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    hub.createContext("/", this::answer);
    hub.start();
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.writeString(folder.resolve("README.md"), "# A card");
    byte[] weights = new byte[2500];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (byte) i;
    }
    Files.write(folder.resolve("model.safetensors"), weights);
    Files.createDirectories(folder.resolve("1_Pooling"));
    Files.writeString(folder.resolve("1_Pooling/config.json"), "{\"a\": 1}");
    Files.createDirectories(folder.resolve("checkpoints/5"));
    Files.writeString(folder.resolve("checkpoints/5/state.json"), "{}");
    Files.writeString(folder.resolve("log.jsonl"), "{}");
    Files.writeString(folder.resolve(".lock"), "");
    Files.writeString(folder.resolve("empty.safetensors"), "");
  }

  @AfterEach
  void stop() {
    hub.stop(0);
  }

  private String address(String path) {
    return "http://127.0.0.1:" + hub.getAddress().getPort() + path;
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      String path = exchange.getRequestURI().getPath();
      asked.add(exchange.getRequestMethod() + " " + path.replaceAll("[0-9a-f]{64}", "SUM"));
      assertEquals("Bearer " + TOKEN, exchange.getRequestHeaders().getFirst("Authorization"));
      if (busy-- > 0) {
        send(exchange, 503, "{}");
      } else if (refusal > 0 && path.contains("/commit/")) {
        send(exchange, refusal, "{\"error\": \"You must not\"}");
      } else if (path.startsWith("/store/")) {
        stored.merge(path.replaceAll("/store/|-[0-9]+$", ""), body, HubUploadTest::joined);
        exchange.getResponseHeaders().set("ETag", "\"part" + body.length + "\"");
        send(exchange, 200, "");
      } else {
        send(exchange, path.equals("/api/repos/create") && exists ? 409 : 200, json(path, body));
      }
    }
  }

  private static byte[] joined(byte[] first, byte[] second) {
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.writeBytes(first);
    both.writeBytes(second);
    return both.toByteArray();
  }

  private static void send(HttpExchange exchange, int code, String text) throws IOException {
    byte[] bytes = text.getBytes(UTF_8);
    exchange.sendResponseHeaders(code, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private String json(String path, byte[] body) throws IOException {
    if (path.endsWith("/commit/main")) {
      for (String line : new String(body, UTF_8).lines().toList()) {
        JsonNode value = MAPPER.readTree(line).path("value");
        switch (MAPPER.readTree(line).path("key").asText()) {
          case "file" ->
              committed.put(
                  value.path("path").asText(),
                  new String(Base64.getDecoder().decode(value.path("content").asText()), UTF_8));
          case "lfsFile" ->
              committed.put(
                  value.path("path").asText(),
                  "lfs " + value.path("oid").asText() + " " + value.path("size").asLong());
          default -> assertTrue(value.has("summary"), line);
        }
      }
      return "{\"commitOid\": \"0123\"}";
    }
    JsonNode question = MAPPER.readTree(body);
    ObjectNode answer = MAPPER.createObjectNode();
    if (path.endsWith("/preupload/main")) {
      ArrayNode files = answer.putArray("files");
      for (JsonNode file : question.path("files")) {
        boolean large = file.path("path").asText().endsWith(".safetensors");
        files
            .addObject()
            .put("path", file.path("path").asText())
            .put("uploadMode", large ? "lfs" : "regular")
            .put("shouldIgnore", false);
      }
    } else if (path.endsWith("/objects/batch")) {
      JsonNode object = question.path("objects").path(0);
      assertEquals(1, question.path("objects").size());
      String sum = object.path("oid").asText();
      ObjectNode actions =
          answer
              .putArray("objects")
              .addObject()
              .put("oid", sum)
              .put("size", object.path("size").asLong())
              .putObject("actions");
      ObjectNode upload = actions.putObject("upload");
      if (inParts) {
        ObjectNode header = upload.putObject("header").put("chunk_size", String.valueOf(PART));
        for (int part = 3; part >= 1; part--) { // in no order
          header.put("0000" + part, address("/store/" + sum + "-" + part));
        }
        upload.put("href", address("/complete"));
      } else {
        upload.put("href", address("/store/" + sum));
      }
      actions.putObject("verify").put("href", address("/verify"));
    } else if (path.equals("/complete")) {
      assertEquals(
          "[{\"partNumber\":1,\"etag\":\"\\\"part1000\\\"\"},{\"partNumber\":2,\"etag\":\"\\\"part1000\\\"\"},"
              + "{\"partNumber\":3,\"etag\":\"\\\"part500\\\"\"}]",
          question.path("parts").toString());
    } else if (path.equals("/api/repos/create")) {
      assertEquals(
          "{\"name\":\"name\",\"organization\":\"owner\",\"type\":\"model\",\"visibility\":\"private\"}",
          question.toString());
    }
    return answer.toString();
  }

  private HubUpload.Uploaded upload(String token) {
    ZooSettings settings =
        new ZooSettings(
            URI.create(address("")), folder, folder, token, false, Duration.ofMillis(1));
    return HubUpload.upload(folder, "owner/name", false, DownloadListener.NONE, settings);
  }

  @Test
  void aFolderBecomesACommit() throws IOException {
    byte[] weights = Files.readAllBytes(folder.resolve("model.safetensors"));
    String sum = Checksums.sha256(folder.resolve("model.safetensors"));
    for (boolean parts : new boolean[] {false, true}) {
      inParts = parts;
      exists = parts;
      busy = parts ? 2 : 0;
      committed.clear();
      stored.clear();
      asked.clear();
      HubUpload.Uploaded uploaded = upload(TOKEN);
      System.out.println(uploaded + ": " + asked);
      assertEquals(address("/owner/name"), uploaded.address());
      assertEquals(
          Map.of(
              "config.json", "{}",
              "README.md", "# A card",
              "1_Pooling/config.json", "{\"a\": 1}",
              "empty.safetensors", "",
              "model.safetensors", "lfs " + sum + " 2500"),
          committed);
      assertEquals(5, uploaded.files());
      assertArrayEquals(weights, stored.get(sum));
      assertTrue(asked.contains("POST /verify"));
      assertEquals("POST /api/models/owner/name/commit/main", asked.get(asked.size() - 1));
    }
  }

  @Test
  void whatCannotBeUploadedGetsASentence() throws IOException {
    refused("set HF_TOKEN", () -> upload(null));
    refusal = 403;
    refused("HTTP 403 (You must not); HF_TOKEN must be one that may write", () -> upload(TOKEN));
    assertTrue(committed.isEmpty());
    int before = asked.size();
    refused(
        "name is not a repository",
        () -> HubUpload.upload(folder, "name", false, DownloadListener.NONE));
    Path empty = Files.createDirectories(folder.resolve("sub"));
    refused(
        "is no folder of a model",
        () -> HubUpload.upload(empty, "owner/name", false, DownloadListener.NONE));
    Files.createSymbolicLink(folder.resolve("linked"), empty);
    refused("is a link to a folder", () -> upload(TOKEN));
    assertEquals(before, asked.size(), "the hub was asked");
  }

  private static void refused(String expected, Runnable upload) {
    String message = assertThrows(BadInputException.class, upload::run).getMessage();
    System.out.println(message);
    assertTrue(message.contains(expected), message);
  }
}

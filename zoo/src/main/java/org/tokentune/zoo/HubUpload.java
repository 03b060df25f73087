package org.tokentune.zoo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import okhttp3.MediaType;
import okhttp3.RequestBody;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.zoo.HttpFiles.Answer;

/**
 * Uploads the folder of a model to a repository on Hugging Face's hub. Large files go to its store
 * first; then one commit has all files, so that others see either none of them or all. Source:
 * Python's huggingface_hub 1.33.
 */
public final class HubUpload {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final MediaType OF_JSON = MediaType.get("application/json");
  private static final String OF_LINES = "application/x-ndjson";
  private static final String OF_STORE = "application/vnd.git-lfs+json";

  /** Files that the hub is asked about at once. */
  private static final int AT_ONCE = 256;

  /** By these bytes the hub tells text from other files. */
  private static final int SAMPLE = 512;

  /** Characters of a hub's own reason that are shown. */
  private static final int LONGEST_REASON = 200;

  /** What trainings leave beside a model. */
  private static final Set<String> LEFT_OUT = Set.of("checkpoints", "log.jsonl", "run.yaml");

  private final ZooSettings settings;
  private final HttpFiles server;
  private final String repository;

  /**
   * What was uploaded.
   *
   * @param address of the model's page
   * @param files their number
   * @param bytes of all files
   */
  public record Uploaded(String address, int files, long bytes) {}

  /**
   * A file to upload.
   *
   * @param path in the repository
   */
  private record Upload(String path, Path file, long size, String sha256) {}

  private HubUpload(String repository, ZooSettings settings, DownloadListener listener) {
    this.settings = settings;
    this.repository = repository;
    server = new HttpFiles(settings, listener);
  }

  /**
   * Uploads a folder, as {@code HF_TOKEN} allows. A repository that does not exist is created.
   * Files that are there under other names stay; hidden files, and training checkpoints, log and
   * settings of the training are left out.
   *
   * @param repository {@code owner/name}
   * @param visible whether a new repository is public; otherwise only its owner sees it
   * @throws BadInputException if it is no folder of a model or of adapters, or the hub refuses
   */
  public static Uploaded upload(
      Path folder, String repository, boolean visible, DownloadListener listener) {
    return upload(folder, repository, visible, listener, ZooSettings.ofEnvironment());
  }

  static Uploaded upload(
      Path folder,
      String repository,
      boolean visible,
      DownloadListener listener,
      ZooSettings settings) {
    required(folder, "folder");
    required(repository, "repository");
    required(listener, "listener");

    if (!HubModel.isOwnerAndName(repository)) {
      throw new BadSettingsException(
          "%s is not a repository on the hub; write owner/name.", repository);
    }
    if (!Files.isRegularFile(folder.resolve("config.json"))
        && !Files.isRegularFile(folder.resolve("adapter_config.json"))) {
      throw new BadFileException(
          "%s is no folder of a model or of adapters: it has no config.json; name one that was"
              + " trained or exported.",
          folder);
    }
    if (settings.token() == null) {
      throw new BadSettingsException(
          "The hub asks for a token that may write; set HF_TOKEN to one.");
    }
    new HubRepository(HubRepository.MODELS, repository, HubRepository.MAIN, settings)
        .requireOnline();
    List<Upload> files = files(folder);
    HubUpload upload = new HubUpload(repository, settings, listener);
    upload.create(visible);
    upload.commit(files);
    return new Uploaded(
        settings.endpoint() + "/" + repository,
        files.size(),
        files.stream().mapToLong(Upload::size).sum());
  }

  private static List<Upload> files(Path named) {
    List<Upload> files = new ArrayList<>();
    try {
      Path folder = named.toRealPath();
      for (Path file : sorted(folder)) {
        if (Files.isSymbolicLink(file) && Files.isDirectory(file)) {
          throw new BadFileException(
              "%s is a link to a folder, which is not uploaded; copy the folder there.", file);
        }
        if (!Files.isRegularFile(file)) {
          continue;
        }
        Path relative = folder.relativize(file);
        List<String> parts = new ArrayList<>();
        relative.forEach(part -> parts.add(part.toString()));
        boolean hidden = parts.stream().anyMatch(part -> part.startsWith("."));
        if (!hidden && !LEFT_OUT.contains(parts.get(0))) {
          files.add(
              new Upload(String.join("/", parts), file, Files.size(file), Checksums.sha256(file)));
        }
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", named, e.getMessage());
    }
    return files;
  }

  private static List<Path> sorted(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.sorted().toList();
    }
  }

  private void create(boolean visible) {
    int slash = repository.indexOf('/');
    ObjectNode wanted = JSON.objectNode().put("name", repository.substring(slash + 1));
    wanted.put("organization", repository.substring(0, slash));
    wanted.put("type", "model").put("visibility", visible ? "public" : "private");
    Answer answer = post(uri("/api/repos/create"), wanted, Map.of());
    // It exists, or may: a token for one repository must not create any.
    if (answer.code() != 409 && answer.code() != 403) {
      require(answer, repository);
    }
  }

  private void commit(List<Upload> files) {
    Map<String, Boolean> large = large(files);
    store(files.stream().filter(file -> large.get(file.path())).toList());
    StringBuilder lines = new StringBuilder();
    ObjectNode header = JSON.objectNode().put("summary", "Upload by TokenTune");
    line(lines, "header", header.put("description", ""));
    for (Upload file : files) {
      ObjectNode value = JSON.objectNode().put("path", file.path());
      if (large.get(file.path())) {
        value.put("algo", "sha256").put("oid", file.sha256()).put("size", file.size());
        line(lines, "lfsFile", value);
      } else {
        value.put("content", Base64.getEncoder().encodeToString(bytes(file)));
        line(lines, "file", value.put("encoding", "base64"));
      }
    }
    Answer answer =
        server.send(
            "POST",
            uri("/api/models/" + repository + "/commit/" + HubRepository.MAIN),
            RequestBody.create(lines.toString().getBytes(UTF_8), MediaType.get(OF_LINES)),
            Map.of(),
            "the commit to " + repository);
    require(answer, "the commit to " + repository);
  }

  private static void line(StringBuilder lines, String key, ObjectNode value) {
    ObjectNode line = JSON.objectNode().put("key", key);
    line.set("value", value);
    lines.append(line).append('\n');
  }

  private static byte[] bytes(Upload file) {
    try {
      return Files.readAllBytes(file.file());
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file.file(), e.getMessage());
    }
  }

  /** Whether the hub wants each file in its store of large ones. */
  private Map<String, Boolean> large(List<Upload> files) {
    Map<String, Boolean> large = new LinkedHashMap<>();
    for (int from = 0; from < files.size(); from += AT_ONCE) {
      List<Upload> some = files.subList(from, Math.min(files.size(), from + AT_ONCE));
      ObjectNode asked = JSON.objectNode();
      ArrayNode list = asked.putArray("files");
      for (Upload file : some) {
        list.addObject()
            .put("path", file.path())
            .put("sample", Base64.getEncoder().encodeToString(sample(file)))
            .put("size", file.size());
      }
      Answer answer =
          post(
              uri("/api/models/" + repository + "/preupload/" + HubRepository.MAIN),
              asked,
              Map.of());
      JsonNode modes = require(answer, repository).path("files");
      modes.forEach(
          file ->
              large.put(
                  file.path("path").asText(), file.path("uploadMode").asText().equals("lfs")));
      for (Upload file : some) {
        if (!large.containsKey(file.path())) {
          throw unlike();
        }
        if (file.size() == 0) { // the store takes no empty files
          large.put(file.path(), false);
        }
      }
    }
    return large;
  }

  private static byte[] sample(Upload file) {
    try (InputStream in = Files.newInputStream(file.file())) {
      return in.readNBytes(SAMPLE);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", file.file(), e.getMessage());
    }
  }

  /** Sends large files to where the hub says; those that it has are not sent. */
  private void store(List<Upload> files) {
    if (files.isEmpty()) {
      return;
    }
    Map<String, Upload> bySum = new LinkedHashMap<>(); // equal files are sent once
    files.forEach(file -> bySum.put(file.sha256(), file));
    ObjectNode asked = JSON.objectNode().put("operation", "upload").put("hash_algo", "sha256");
    asked.putArray("transfers").add("basic").add("multipart");
    asked.putObject("ref").put("name", HubRepository.MAIN);
    ArrayNode objects = asked.putArray("objects");
    bySum.forEach((sum, file) -> objects.addObject().put("oid", sum).put("size", file.size()));
    Answer answer =
        post(
            uri("/" + repository + ".git/info/lfs/objects/batch"),
            asked,
            Map.of("Accept", OF_STORE, "Content-Type", OF_STORE));
    for (JsonNode object : require(answer, repository).path("objects")) {
      Upload file = bySum.get(object.path("oid").asText());
      if (file == null) {
        throw unlike();
      }
      if (object.has("error")) {
        throw new BadFileException(
            "%s: the hub does not take it: %.200s.",
            file.path(), object.path("error").path("message").asText());
      }
      if (object.path("actions").has("upload")) {
        send(file, object.path("actions"));
      }
    }
  }

  private void send(Upload file, JsonNode actions) {
    JsonNode upload = actions.path("upload");
    URI target = target(upload);
    long part = upload.path("header").path("chunk_size").asLong(0);
    if (part > 0) {
      parts(file, upload.path("header"), part, target);
    } else {
      require(put(file, target, 0, file.size()), file.path());
    }
    if (actions.has("verify")) {
      ObjectNode sum = JSON.objectNode().put("oid", file.sha256()).put("size", file.size());
      require(post(target(actions.path("verify")), sum, Map.of()), file.path());
    }
  }

  private void parts(Upload file, JsonNode header, long size, URI complete) {
    Map<Integer, URI> targets = new TreeMap<>();
    header
        .properties()
        .forEach(
            field -> {
              if (field.getKey().matches("[0-9]{1,6}")) {
                targets.put(Integer.valueOf(field.getKey()), parsed(field.getValue().asText()));
              }
            });
    if (targets.size() != (file.size() + size - 1) / size) {
      throw unlike();
    }
    ObjectNode done = JSON.objectNode().put("oid", file.sha256());
    ArrayNode parts = done.putArray("parts");
    long from = 0;
    for (URI target : targets.values()) {
      Answer answer = put(file, target, from, Math.min(size, file.size() - from));
      require(answer, file.path());
      parts.addObject().put("partNumber", parts.size()).put("etag", answer.tag());
      from += size;
    }
    Map<String, String> headers = Map.of("Accept", OF_STORE, "Content-Type", OF_STORE);
    require(post(complete, done, headers), file.path());
  }

  private URI target(JsonNode action) {
    return parsed(action.path("href").asText());
  }

  private URI parsed(String address) {
    try {
      URI uri = URI.create(address);
      boolean safe =
          "https".equals(uri.getScheme()) || "http".equals(settings.endpoint().getScheme());
      if (HttpFiles.isHttp(uri) && safe) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // said below
    }
    throw new BadFileException(
        "The hub names '%.100s' for a file, which is not a safe address.", address);
  }

  private Answer put(Upload file, URI target, long from, long count) {
    return server.send(
        "PUT", target, new FilePart(file.file(), from, count), Map.of(), file.path());
  }

  private Answer post(URI uri, ObjectNode content, Map<String, String> headers) {
    MediaType type =
        headers.containsKey("Content-Type") ? MediaType.get(headers.get("Content-Type")) : OF_JSON;
    RequestBody body = RequestBody.create(content.toString().getBytes(UTF_8), type);
    return server.send("POST", uri, body, headers, repository);
  }

  private URI uri(String path) {
    return URI.create(settings.endpoint() + path);
  }

  /** The answer to something that was done. */
  private JsonNode require(Answer answer, String name) {
    if (answer.code() >= 200 && answer.code() < 300) {
      JsonNode json = answer.json();
      return json == null ? JSON.objectNode() : json;
    }
    JsonNode json = answer.json();
    String error = json == null ? "" : json.path("error").asText("");
    String said = error.substring(0, Math.min(error.length(), LONGEST_REASON));
    String remedy =
        switch (answer.code()) {
          case 401, 403 -> "HF_TOKEN must be one that may write to this repository";
          case 404 -> "check the name, and that HF_TOKEN may write to this repository";
          case 413 -> "it is too large";
          default -> "try again later";
        };
    throw new BadFileException(
        "%s: the hub answers HTTP %d%s; %s.",
        name, answer.code(), said.isEmpty() ? "" : " (" + said + ")", remedy);
  }

  private BadInputException unlike() {
    return new BadFileException(
        "%s does not answer as a hub does; check HF_ENDPOINT.", settings.endpoint());
  }
}

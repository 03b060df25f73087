package org.tokentune.zoo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadInputException;
import org.tokentune.zoo.RawServer.Reply;
import org.tokentune.zoo.RawServer.Request;

/** Data sets of a hub on localhost, whose every file holds its own name. */
class HubDatasetTest {

  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  @TempDir private Path folder;

  private final List<String> asked = new ArrayList<>();
  private List<String> names = List.of();
  private RawServer hub;

  @BeforeEach
  void start() throws IOException {
    hub = new RawServer(this::answer);
  }

  @AfterEach
  void stop() {
    hub.close();
  }

  private Reply answer(Request request) {
    asked.add(request.path());
    if (request.path().startsWith("/api/datasets/owner/reviews/revision/")) {
      String listed =
          names.stream()
              .map(name -> "{\"rfilename\": \"" + name.replace("\\", "\\\\") + "\"}")
              .collect(
                  Collectors.joining(", ", "{\"sha\": \"" + COMMIT + "\", \"siblings\": [", "]}"));
      return Reply.of(200, Map.of(), listed.getBytes(StandardCharsets.UTF_8));
    }
    String prefix = "/datasets/owner/reviews/resolve/" + COMMIT + "/";
    if (!request.path().startsWith(prefix)) {
      return Reply.status(404, "X-Error-Code", "RepoNotFound");
    }
    String name = request.path().substring(prefix.length());
    // Each file's content is its name, and its tag the SHA-1 that git gives it.
    byte[] content = name.getBytes(StandardCharsets.UTF_8);
    return Reply.of(200, Map.of(), content)
        .with("ETag", '"' + HubModelTest.gitSha1(content) + '"')
        .with("X-Repo-Commit", COMMIT);
  }

  private List<String> fetched(String address) throws IOException {
    ZooSettings settings =
        new ZooSettings(
            hub.uri(""),
            folder.resolve("hub"),
            folder.resolve("cache"),
            null,
            false,
            Duration.ofMillis(1));
    List<String> contents = new ArrayList<>();
    for (Path file : HubDataset.of(address, settings).fetch(DownloadListener.NONE)) {
      contents.add(Files.readString(file));
      assertTrue(
          file.startsWith(folder.resolve("hub/datasets--owner--reviews/snapshots/" + COMMIT)));
    }
    System.out.println(address + ": " + contents);
    return contents;
  }

  private void refuses(String sentence, String address) {
    String message = assertThrows(BadInputException.class, () -> fetched(address)).getMessage();
    System.out.println(message);
    assertTrue(message.contains(sentence), message);
  }

  @Test
  void fetchesTheTrainingPartOrWhatThePathNames() throws IOException {
    names =
        List.of(
            ".gitattributes",
            "README.md",
            "dataset_infos.json",
            "data/train-00000-of-00002.parquet",
            "data/train-00001-of-00002.parquet",
            "data/validation-00000-of-00001.parquet",
            "data/constraints.csv");
    List<String> train =
        List.of("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet");
    assertEquals(train, fetched("hf:datasets/owner/reviews"));
    assertTrue(asked.contains("/api/datasets/owner/reviews/revision/main"));
    int before = asked.size();
    assertEquals(train, fetched("hf:datasets/owner/reviews"));
    assertEquals(before + 1, asked.size(), "what is here is not asked for again");
    assertEquals(
        List.of("data/validation-00000-of-00001.parquet"),
        fetched("hf:datasets/owner/reviews@main/data/validation-*.parquet"));
    assertEquals(
        List.of("data/constraints.csv"), fetched("hf:datasets/owner/reviews/data/constraints.csv"));
    assertEquals(4, fetched("hf:datasets/owner/reviews/data").size());
    refuses("has no file of rows at nowhere", "hf:datasets/owner/reviews/nowhere");
    refuses("there is nothing at", "hf:datasets/owner/other");
    refuses("is not a data set on the hub", "hf:datasets/reviews");
  }

  @Test
  void takesAllFilesOfASetWithoutParts() throws IOException {
    names = List.of("README.md", "reviews.jsonl.gz", "test.jsonl", "more.csv");
    assertEquals(List.of("more.csv", "reviews.jsonl.gz"), fetched("hf:datasets/owner/reviews"));
    names = List.of("cola/train-00000-of-00001.parquet", "rte/train-00000-of-00001.parquet");
    refuses("has several sets of rows", "hf:datasets/owner/reviews");
    assertEquals(1, fetched("hf:datasets/owner/reviews/rte").size());
  }

  @Test
  void neverLeavesItsFolder() {
    for (String name : List.of("../../train.csv", "/train.csv", "a/./train.csv", "a\\train.csv")) {
      names = List.of(name);
      refuses("unsafe name", "hf:datasets/owner/reviews");
    }
  }
}

package org.tokentune.zoo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.zoo.RawServer.Reply;
import org.tokentune.zoo.RawServer.Request;

/**
 * Downloads from a hub on localhost and its store of large files on another port, which is another
 * server.
 */
class HubModelTest {

  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final String WEIGHTS = "model.safetensors";
  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");

  @TempDir private Path folder;

  private final Map<String, byte[]> files = new HashMap<>();
  private RawServer hub;
  private RawServer store;

  @BeforeEach
  void start() throws IOException {
    files.put("config.json", Files.readAllBytes(GOLDEN.resolve("config.json")));
    files.put("tokenizer.json", "{}".getBytes(StandardCharsets.UTF_8));
    files.put(WEIGHTS, Files.readAllBytes(GOLDEN.resolve(WEIGHTS)));
    store = new RawServer(this::stored);
    hub = new RawServer(this::resolved);
  }

  @AfterEach
  void stop() {
    hub.close();
    store.close();
  }

  /** As the hub answers: small files itself, large ones by a redirect that names their SHA-256. */
  private Reply resolved(Request request) {
    String name = request.path().substring(request.path().lastIndexOf('/') + 1);
    byte[] content = files.get(name);
    if (content == null) {
      return Reply.status(404, "X-Error-Code", "EntryNotFound").with("X-Repo-Commit", COMMIT);
    }
    if (name.endsWith(".safetensors")) {
      return Reply.status(302, "Location", store.uri("/" + name).toString())
          .with("X-Linked-Etag", '"' + sha256(content) + '"')
          .with("X-Linked-Size", Integer.toString(content.length))
          .with("X-Repo-Commit", COMMIT);
    }
    return Reply.of(200, Map.of(), content)
        .with("ETag", '"' + gitSha1(content) + '"')
        .with("X-Repo-Commit", COMMIT);
  }

  private Reply stored(Request request) {
    byte[] content = files.get(request.path().substring(1));
    int from = request.from();
    Reply reply =
        Reply.of(
            from == 0 ? 200 : 206, Map.of(), Arrays.copyOfRange(content, from, content.length));
    return from == 0
        ? reply
        : reply.with(
            "Content-Range", "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
  }

  private static String sha256(byte[] content) {
    return hex("SHA-256", content);
  }

  static String gitSha1(byte[] content) {
    byte[] head = ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII);
    byte[] all = Arrays.copyOf(head, head.length + content.length);
    System.arraycopy(content, 0, all, head.length, content.length);
    return hex("SHA-1", all);
  }

  private static String hex(String algorithm, byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private ZooSettings settings(boolean offline) {
    return new ZooSettings(
        hub.uri(""),
        folder.resolve("hub"),
        folder.resolve("cache"),
        "hf_secret",
        offline,
        Duration.ofMillis(1));
  }

  private HubModel model() {
    return HubModel.parse("hf:owner/name", settings(false));
  }

  private Path blob(String file) {
    return model().folder().resolve("blobs").resolve(sha256(files.get(file)));
  }

  private String refusal() {
    String message =
        assertThrows(BadInputException.class, () -> model().open(DownloadListener.NONE))
            .getMessage();
    System.out.println(message);
    assertFalse(model().isLocal());
    assertFalse(Files.exists(blob(WEIGHTS)), "a file that is not whole must not be taken for one");
    return message;
  }

  @Test
  void keepsFilesAsHuggingFacesToolsDo() throws IOException {
    List<String> heard = new ArrayList<>();
    try (ModelFiles opened =
        model().open((file, received, total) -> heard.add(file + " " + received + "/" + total))) {
      assertTrue(opened.weights().names().contains("bert.pooler.dense.bias"));
    }
    int length = files.get(WEIGHTS).length;
    assertTrue(
        heard.contains("model.safetensors of owner/name@main " + length + "/" + length),
        heard.toString());
    Path repository = folder.resolve("hub/models--owner--name");
    assertEquals(COMMIT, Files.readString(repository.resolve("refs/main")));
    Path link = repository.resolve("snapshots").resolve(COMMIT).resolve(WEIGHTS);
    assertEquals(Path.of("../../blobs", sha256(files.get(WEIGHTS))), Files.readSymbolicLink(link));
    assertArrayEquals(files.get(WEIGHTS), Files.readAllBytes(link));
    assertTrue(
        Files.exists(repository.resolve("blobs").resolve(gitSha1(files.get("config.json")))));
    assertNoLeftovers(repository);

    for (Request request : hub.requests()) {
      assertEquals("Bearer hf_secret", request.headers().get("authorization"));
    }
    for (Request request : store.requests()) {
      assertNull(request.headers().get("authorization"), "the token is for the hub alone");
    }

    int asked = hub.requests().size();
    model().open(DownloadListener.NONE).close();
    HubModel offline = HubModel.parse("hf:owner/name@" + COMMIT, settings(true));
    offline.open(DownloadListener.NONE).close();
    assertEquals(asked, hub.requests().size(), "what is here is not asked for");
    assertEquals(3, model().verify().size());

    Files.write(blob(WEIGHTS), new byte[length]);
    assertTrue(
        assertThrows(BadInputException.class, () -> model().verify())
            .getMessage()
            .contains("it is damaged"));
    model().remove();
    assertFalse(Files.exists(repository));
  }

  private static void assertNoLeftovers(Path repository) throws IOException {
    try (Stream<Path> all = Files.walk(repository)) {
      assertEquals(
          List.of(), all.filter(file -> file.toString().matches(".*(incomplete|part)")).toList());
    }
  }

  @Test
  void fetchesShards() throws IOException {
    byte[] whole = files.remove(WEIGHTS);
    String shard = "model-00001-of-00001.safetensors";
    files.put(shard, whole);
    files.put(
        "model.safetensors.index.json",
        "{\"weight_map\": {\"bert.pooler.dense.bias\": \"%s\"}}"
            .formatted(shard)
            .getBytes(StandardCharsets.UTF_8));
    model().open(DownloadListener.NONE).close();
    assertEquals(4, model().verify().size());

    files.put(
        "model.safetensors.index.json",
        "{\"weight_map\": {\"a\": \"../../x.safetensors\"}}".getBytes(StandardCharsets.UTF_8));
    model().remove();
    String message =
        assertThrows(BadInputException.class, () -> model().fetch(DownloadListener.NONE))
            .getMessage();
    assertTrue(message.contains("not a plain .safetensors file name"), message);
  }

  @Test
  void resumesCutConnections() throws IOException {
    byte[] content = random(100_000);
    files.put(WEIGHTS, content);
    store.answer(request -> stored(request).cutAfter(30_000));
    model().fetch(DownloadListener.NONE);
    assertArrayEquals(content, Files.readAllBytes(blob(WEIGHTS)));
    List<Integer> starts = store.requests().stream().map(Request::from).toList();
    System.out.println("a file of 100000 bytes, cut after each 30000: asked for from " + starts);
    assertEquals(List.of(0, 30_000, 60_000, 90_000), starts);
  }

  @Test
  void beginsAgainWhereAServerKnowsNoRanges() throws IOException {
    byte[] content = random(50_000);
    files.put(WEIGHTS, content);
    AtomicInteger cuts = new AtomicInteger(2);
    store.answer(
        request ->
            Reply.of(200, Map.of(), content)
                .cutAfter(cuts.getAndDecrement() > 0 ? 20_000 : content.length));
    model().fetch(DownloadListener.NONE);
    assertArrayEquals(content, Files.readAllBytes(blob(WEIGHTS)));
  }

  @Test
  void givesUpOnConnectionsThatBringNothing() throws IOException {
    store.answer(request -> stored(request).cutAfter(0));
    assertTrue(refusal().contains("the connection was lost several times"));
    store.answer(request -> stored(request).cutAfter(request.from() == 0 ? 5000 : 0));
    assertTrue(refusal().contains("after 5000 bytes; try again, and the download resumes there"));
    store.answer(this::stored);
    model().fetch(DownloadListener.NONE);
    assertEquals(5000, store.requests().get(store.requests().size() - 1).from());
  }

  @Test
  void neverTakesAWrongFile() throws IOException {
    int length = files.get(WEIGHTS).length;
    UnaryOperator<Reply> flipped =
        reply -> {
          byte[] other = reply.body().clone();
          other[other.length / 2] ^= 1;
          return Reply.of(reply.status(), reply.headers(), other);
        };
    store.answer(request -> flipped.apply(stored(request)));
    assertTrue(refusal().contains("another checksum than the hub gives it"));

    store.answer(request -> Reply.of(200, Map.of(), new byte[length + 7]));
    assertTrue(
        refusal().contains("sends %d bytes, but announced %d".formatted(length + 7, length)));

    store.answer(request -> Reply.of(200, Map.of(), new byte[length - 7]));
    assertTrue(refusal().contains("sends %d bytes".formatted(length - 7)));

    // No length at all: the end of the connection is the end of the file.
    store.answer(request -> new Reply(200, Map.of(), files.get(WEIGHTS), length - 7, 0));
    assertTrue(refusal().contains("it ended early"));

    store.answer(request -> new Reply(200, Map.of(), new byte[2 * length], 2 * length, 0));
    assertTrue(refusal().contains("but announced"));

    store.answer(
        request ->
            request.from() == 0
                ? stored(request).cutAfter(1000)
                : stored(request).with("Content-Range", "bytes 0-5/6"));
    assertTrue(refusal().contains("asked for the bytes from "));

    store.answer(this::stored);
    model().open(DownloadListener.NONE).close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "401 | HTTP 401: it does not exist, or this token may not read it; check the name and HF_TOKEN",
        "403 | HTTP 403: access is restricted; accept the terms on its page",
        "404 | (HTTP 404); check the model's name and revision",
        "418 | HTTP 418: check the address",
        "429 | HTTP 429: too many requests; try again later",
        "503 | HTTP 503: the server is busy or has failed; try again later"
      })
  void saysWhatServersRefuse(int status, String sentence) {
    hub.answer(request -> Reply.status(status));
    String message = refusal();
    assertTrue(message.contains(sentence), message);
    assertFalse(message.contains("\n"), message);
    assertEquals(status == 429 || status == 503 ? 5 : 1, hub.requests().size());
  }

  @Test
  void waitsForBusyServersAsTheyWish() throws IOException {
    AtomicInteger busy = new AtomicInteger();
    hub.answer(
        request ->
            busy.getAndIncrement() < 2
                ? Reply.status(busy.get() == 1 ? 429 : 503, "Retry-After", "1")
                : resolved(request));
    long start = System.nanoTime();
    model().open(DownloadListener.NONE).close();
    assertTrue(System.nanoTime() - start >= 2_000_000_000L, "a second for each");

    model().remove();
    hub.answer(request -> Reply.status(503, "Retry-After", "3600"));
    assertTrue(refusal().contains("try again after 3600 seconds"));
  }

  @Test
  void followsRedirectsButNotForEver() throws IOException {
    hub.answer(
        request ->
            request.path().startsWith("/owner/name/")
                ? Reply.status(307, "Location", request.path().replace("/name/", "/renamed/"))
                : resolved(request));
    model().open(DownloadListener.NONE).close();
    model().remove();
    hub.answer(request -> Reply.status(302, "Location", request.path()));
    assertTrue(refusal().contains("redirects too often"));
    hub.answer(request -> Reply.status(302, "Location", "file:///etc/passwd"));
    assertTrue(
        refusal().contains("redirects to 'file:///etc/passwd', which is not a safe address"));
    hub.answer(request -> Reply.status(200));
    assertTrue(refusal().contains("it names no commit; check HF_ENDPOINT"));
  }

  /** Without a network, the error must not take half a minute of silent attempts. */
  @Test
  void triesTwiceWithoutANetwork() {
    hub.close();
    List<String> retries = new ArrayList<>();
    DownloadListener listener =
        new DownloadListener() {
          @Override
          public void onProgress(String file, long received, long total) {}

          @Override
          public void onRetry(String file, String reason, int attempt, Duration pause) {
            retries.add(attempt + " " + file + ": " + reason);
          }
        };
    String message =
        assertThrows(BadInputException.class, () -> model().open(listener)).getMessage();
    System.out.println(retries + " " + message);
    assertTrue(message.contains("cannot be reached"), message);
    assertEquals(1, retries.size());
    assertTrue(retries.get(0).startsWith("1 config.json of owner/name@main: "), retries.get(0));
  }

  @Test
  void goesThroughTheProxyOfTheJvm() {
    System.setProperty("http.proxyHost", "localhost");
    System.setProperty("http.proxyPort", Integer.toString(hub.uri("").getPort()));
    try {
      ZooSettings behindProxy =
          new ZooSettings(
              URI.create("http://hub.invalid"),
              folder.resolve("hub"),
              folder.resolve("cache"),
              null,
              false,
              Duration.ofMillis(1));
      HubModel.parse("hf:owner/name", behindProxy).fetch(DownloadListener.NONE);
    } finally {
      System.clearProperty("http.proxyHost");
      System.clearProperty("http.proxyPort");
    }
    String first = hub.requests().get(0).path();
    assertTrue(first.startsWith("http://hub.invalid/owner/name/"), first);
  }

  @Test
  void staysOfflineWhereTold() {
    String message =
        assertThrows(
                BadInputException.class,
                () -> HubModel.parse("hf:owner/name", settings(true)).open(DownloadListener.NONE))
            .getMessage();
    assertTrue(message.contains("HF_HUB_OFFLINE says not to fetch it"), message);
    assertEquals(0, hub.requests().size());
  }

  @Test
  void refusesAddressesThatAreNone() {
    for (String address :
        List.of("hf:", "hf:a/b/c", "hf:../x", "hf:a/b@../../c", "hf:a/b@", "hf:a b", "hf:a/b?c")) {
      assertThrows(
          BadInputException.class, () -> HubModel.parse(address, settings(false)), address);
    }
    assertEquals("v1", HubModel.parse("hf:a/b@v1", settings(false)).revision());
    assertEquals("refs/pr/1", HubModel.parse("hf:a@refs/pr/1", settings(false)).revision());
  }

  @Test
  void readsTheEnvironmentAsHuggingFacesToolsDo() throws IOException {
    Path home = folder.resolve("home");
    ZooSettings plain = ZooSettings.of(Map.of(), home);
    assertEquals("https://huggingface.co", plain.endpoint().toString());
    assertEquals(home.resolve(".cache/huggingface/hub"), plain.hubCache());
    assertNull(plain.token());
    assertFalse(plain.offline());
    Files.createDirectories(home.resolve("hf"));
    Files.writeString(home.resolve("hf/token"), "hf_stored\n");
    ZooSettings set =
        ZooSettings.of(
            Map.of(
                "HF_HOME",
                home.resolve("hf").toString(),
                "HF_ENDPOINT",
                "https://mirror.example/",
                "HF_HUB_OFFLINE",
                "true"),
            home);
    assertEquals("https://mirror.example", set.endpoint().toString());
    assertEquals(home.resolve("hf/hub"), set.hubCache());
    assertEquals("hf_stored", set.token());
    assertTrue(set.offline());
    assertFalse(set.toString().contains("hf_stored"));
    ZooSettings given = ZooSettings.of(Map.of("HF_HUB_CACHE", "/c", "HF_TOKEN", "hf_given"), home);
    assertEquals(Path.of("/c"), given.hubCache());
    assertEquals("hf_given", given.token());
    assertThrows(
        BadInputException.class, () -> ZooSettings.of(Map.of("HF_ENDPOINT", "mirror"), home));
  }

  /** Fetches, in a process of its own, as its environment says. */
  static final class Fetching {
    public static void main(String[] arguments) {
      System.out.println(Zoo.source("hf:owner/name").fetch(DownloadListener.NONE));
    }
  }

  private Process fetching() throws IOException {
    ProcessBuilder child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Fetching.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("child.txt").toFile());
    child.environment().put("HF_ENDPOINT", hub.uri("").toString());
    child.environment().put("HF_HUB_CACHE", folder.resolve("hub").toString());
    return child.start();
  }

  @Test
  void servesTwoProcessesAtOnceByOneDownload() throws IOException, InterruptedException {
    byte[] content = random(50_000);
    files.put(WEIGHTS, content);
    store.answer(request -> stored(request).slowly(40));
    Process first = fetching();
    Process second = fetching();
    assertEquals(0, first.waitFor(), Files.readString(folder.resolve("child.txt")));
    assertEquals(0, second.waitFor(), Files.readString(folder.resolve("child.txt")));
    assertArrayEquals(content, Files.readAllBytes(blob(WEIGHTS)));
    System.out.println(
        "two processes, " + store.count("GET", WEIGHTS) + " download of " + content.length);
    assertEquals(2, hub.count("HEAD", WEIGHTS));
    assertEquals(1, store.count("GET", WEIGHTS));
  }

  @Test
  void goesOnWhereAKilledProcessStopped() throws IOException, InterruptedException {
    byte[] content = random(100_000);
    files.put(WEIGHTS, content);
    store.answer(request -> stored(request).slowly(20));
    Process child = fetching();
    Path partial = blob(WEIGHTS).resolveSibling(sha256(content) + ".incomplete");
    while (!Files.exists(partial) || Files.size(partial) < 10_000) {
      assertTrue(child.isAlive());
      Thread.sleep(10);
    }
    child.destroyForcibly();
    assertTrue(child.waitFor(10, TimeUnit.SECONDS));
    assertFalse(model().isLocal());
    store.answer(this::stored);
    model().fetch(DownloadListener.NONE);
    assertArrayEquals(content, Files.readAllBytes(blob(WEIGHTS)));
    int from = store.requests().get(store.requests().size() - 1).from();
    System.out.println("killed in between; the next process asked for the bytes from " + from);
    assertTrue(from >= 10_000 && from < content.length);
  }

  @Test
  void fetchesAnyUrl() throws IOException {
    files.put("tiny.gguf", random(40_000));
    store.answer(request -> stored(request).with("ETag", "W/\"a b\"").cutAfter(25_000));
    UrlModel file = UrlModel.parse(store.uri("/tiny.gguf").toString(), settings(false));
    Path fetched = file.fetch(DownloadListener.NONE);
    assertArrayEquals(files.get("tiny.gguf"), Files.readAllBytes(fetched));
    assertTrue(file.verify().get(0).startsWith(sha256(files.get("tiny.gguf"))));
    Files.write(fetched, new byte[40_000]);
    assertThrows(BadInputException.class, file::verify);
    file.remove();
    assertFalse(file.isLocal());

    store.answer(
        request ->
            files.containsKey(request.path().substring(1)) ? stored(request) : Reply.status(404));
    UrlModel whole = UrlModel.parse(store.uri("/").toString(), settings(false));
    whole.open(DownloadListener.NONE).close();
    assertEquals(3, whole.verify().size());
    String message =
        assertThrows(
                BadInputException.class,
                () ->
                    UrlModel.parse(store.uri("/no.gguf").toString(), settings(false))
                        .open(DownloadListener.NONE))
            .getMessage();
    assertTrue(message.contains("(HTTP 404); check the address"), message);
  }

  private static byte[] random(int size) {
    byte[] content = new byte[size];
    new Random(7).nextBytes(content);
    return content;
  }
}

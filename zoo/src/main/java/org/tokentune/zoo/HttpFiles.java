package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import okhttp3.HttpUrl;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * Files on web servers. OkHttp follows redirects, gives up on stalled connections, and drops the
 * token when a redirect leads to another server. Downloads that break are resumed where they broke,
 * and a busy server is asked again, a few times.
 */
final class HttpFiles {

  private static final Duration CONNECT = Duration.ofSeconds(10);

  /** How long a connection may send nothing before it is given up. */
  private static final Duration STALL = Duration.ofMinutes(1);

  /** The longest pause that a server may ask for. */
  private static final Duration MOST_PAUSE = Duration.ofMinutes(2);

  /** OkHttp tells this failure from others only by its message. */
  private static final String TOO_MANY_REDIRECTS = "Too many follow-up requests";

  private static final int ATTEMPTS = 5;

  /** Fewer without a connection: then there is usually no network. */
  private static final int CONNECTION_ATTEMPTS = 2;

  private static final Set<Integer> BUSY = Set.of(429, 500, 502, 503, 504);
  private static final int BUFFER = 1 << 16;
  private static final int MOST_JSON = 1 << 26;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Proxies are those of the JVM ({@code https.proxyHost}). */
  private static final OkHttpClient CLIENT =
      new OkHttpClient.Builder()
          .protocols(List.of(Protocol.HTTP_1_1))
          .connectTimeout(CONNECT)
          .readTimeout(STALL)
          .addNetworkInterceptor(HttpFiles::checkRedirect)
          .build();

  private final ZooSettings settings;
  private final DownloadListener listener;

  HttpFiles(ZooSettings settings, DownloadListener listener) {
    this.settings = settings;
    this.listener = listener;
  }

  /**
   * A file on a server.
   *
   * @param name for messages, e.g. {@code config.json of gpt2@main}
   * @param tag changes with the content; letters, digits and {@code ._-}; empty if the server sends
   *     none
   * @param size in bytes; empty if unknown
   * @param commit of the hub's repository; empty on other servers
   */
  record RemoteFile(URI uri, String name, String tag, OptionalLong size, Optional<String> commit) {}

  /** The file that a request is for, for messages. */
  private record FileName(String name) {}

  static boolean isHttp(URI uri) {
    return uri.getHost() != null
        && ("https".equals(uri.getScheme()) || "http".equals(uri.getScheme()));
  }

  /** Requests a file's size and tag; empty if there is no such file (404). */
  Optional<RemoteFile> find(URI uri, String name) {
    try (Response response = ask("HEAD", uri, 0, name)) {
      if (response.code() == 404) {
        return Optional.empty();
      }
      if (response.code() != 200 && !response.isRedirect()) {
        throw refused(response.code(), name);
      }
      // A redirect to a store of large files has headers that the store may lack.
      String tag = header(response, "X-Linked-Etag").or(() -> header(response, "ETag")).orElse("");
      Optional<String> length = header(response, "X-Linked-Size");
      if (length.isEmpty() && response.code() == 200) {
        length = header(response, "Content-Length");
      }
      return Optional.of(
          new RemoteFile(
              uri,
              name,
              plain(tag),
              length.map(text -> OptionalLong.of(number(text, name))).orElse(OptionalLong.empty()),
              header(response, "X-Repo-Commit").filter(commit -> commit.matches("[0-9a-f]{40}"))));
    }
  }

  /** What a server says in JSON. */
  JsonNode json(URI uri, String name) {
    try (Response response = ask("GET", uri, 0, name)) {
      if (response.code() == 404) {
        throw new BadFileException("%s: there is nothing at %s (HTTP 404); check it.", name, uri);
      }
      if (response.code() != 200) {
        throw refused(response.code(), name);
      }
      byte[] body = response.body().byteStream().readNBytes(MOST_JSON + 1);
      if (body.length > MOST_JSON) {
        throw new BadFileException("%s has more than %,d bytes.", name, MOST_JSON);
      }
      return MAPPER.readTree(body);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", name, e.getMessage());
    }
  }

  private static Optional<String> header(Response response, String name) {
    return Optional.ofNullable(response.header(name));
  }

  /**
   * A tag without quotes and the mark of weak tags; its checksum if it is not valid as a file name.
   */
  private static String plain(String tag) {
    String bare = tag.strip().replaceFirst("^W/", "").replace("\"", "");
    return bare.matches("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}|") ? bare : Checksums.sha256(bare);
  }

  private static long number(String text, String name) {
    try {
      return Long.parseUnsignedLong(text.strip());
    } catch (NumberFormatException e) {
      throw new BadFileException(e, "%s: the server gives the length '%s'.", name, text);
    }
  }

  /**
   * Downloads a file.
   *
   * @param partial receives the content; that of an interrupted download is kept
   * @throws BadInputException if the download fails, or has another length than announced
   */
  void download(RemoteFile file, Path partial) {
    requireSpace(file, partial);
    for (int failures = 0; ; ) {
      long before = present(partial);
      try {
        if (receive(file, partial)) {
          return;
        }
      } catch (IOException e) {
        failures = present(partial) > before ? 1 : failures + 1;
        if (failures >= ATTEMPTS) {
          throw new BadFileException(
              e,
              "%s: the connection was lost several times (%s) after %d bytes; try again, and the download"
                  + " resumes there.",
              file.name(),
              e.getMessage(),
              present(partial));
        }
        retry(file.name(), e.toString(), failures, settings.pause().multipliedBy(1L << failures));
      }
    }
  }

  private static long present(Path partial) {
    return Files.exists(partial) ? LocalFiles.size(partial) : 0;
  }

  private static void requireSpace(RemoteFile file, Path partial) {
    LocalFiles.createFolders(partial.getParent());
    try {
      long free = Files.getFileStore(partial.getParent()).getUsableSpace();
      long needed = file.size().orElse(0) - present(partial);
      if (free < needed) {
        throw new BadFileException(
            "%s needs %d bytes more, but %s has %d free; make room there.",
            file.name(), needed, partial.getParent(), free);
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be written to: %s.", partial.getParent(), e);
    }
  }

  /** Receives the rest of a file; returns whether it is complete. */
  private boolean receive(RemoteFile file, Path partial) throws IOException {
    long have = present(partial);
    if (have > 0 && file.size().isPresent() && have >= file.size().getAsLong()) {
      if (have == file.size().getAsLong()) {
        return true;
      }
      have = 0;
    }
    try (Response response = ask("GET", file.uri(), have, file.name())) {
      switch (response.code()) {
        case 200 -> have = 0; // Some servers do not support ranges.
        case 206 -> requireRange(response, have, file);
        case 416 -> {
          Files.delete(partial); // It is not a part of this file.
          throw new IOException("no such range");
        }
        case 404 -> throw new BadFileException("%s is gone (HTTP 404).", file.name());
        default -> throw refused(response.code(), file.name());
      }
      long length = response.body().contentLength();
      if (file.size().isPresent() && length >= 0 && have + length != file.size().getAsLong()) {
        throw wrongLength(file, have + length);
      }
      write(response.body().byteStream(), partial, have, file);
    }
    if (file.size().isPresent() && present(partial) < file.size().getAsLong()) {
      throw new IOException("it ended early");
    }
    return true;
  }

  private static void requireRange(Response response, long from, RemoteFile file) {
    String range = header(response, "Content-Range").orElse("none");
    if (!range.startsWith("bytes " + from + "-")) {
      throw new BadFileException(
          "%s: the server was asked for the bytes from %d, but sends the range '%s'; try again later.",
          file.name(), from, range);
    }
  }

  private static BadInputException wrongLength(RemoteFile file, long length) {
    return new BadFileException(
        "%s: the server sends %d bytes, but announced %d; try again later.",
        file.name(), length, file.size().getAsLong());
  }

  private void write(InputStream body, Path partial, long from, RemoteFile file)
      throws IOException {
    try (FileChannel channel = open(partial, from)) {
      byte[] buffer = new byte[BUFFER];
      long received = from;
      for (int read = body.read(buffer); read >= 0; read = body.read(buffer)) {
        received += read;
        if (file.size().isPresent() && received > file.size().getAsLong()) {
          throw wrongLength(file, received);
        }
        append(channel, buffer, read, partial);
        listener.onProgress(file.name(), received, file.size().orElse(-1));
      }
    }
  }

  private static FileChannel open(Path partial, long from) {
    try {
      FileChannel channel =
          FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      channel.truncate(from).position(from);
      return channel;
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be written: %s.", partial, e);
    }
  }

  private static void append(FileChannel channel, byte[] bytes, int count, Path partial) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, count);
    try {
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be written: %s; make room.", partial, e);
    }
  }

  /**
   * Sends something, again if the server is busy or the connection is lost.
   *
   * @param name of what is sent, for messages
   * @param headers further ones
   * @return the answer, whatever its status
   */
  Answer send(String method, URI uri, RequestBody body, Map<String, String> headers, String name) {
    Request.Builder request = request(uri, name).method(method, body);
    headers.forEach(request::header);
    try (Response response = ask(request.build(), uri, name)) {
      byte[] content = response.body().byteStream().readNBytes(MOST_JSON + 1);
      if (content.length > MOST_JSON) {
        throw new BadFileException("%s: the answer has more than %,d bytes.", name, MOST_JSON);
      }
      return new Answer(response.code(), content, header(response, "ETag").orElse(""));
    } catch (IOException e) {
      throw new BadFileException(e, "%s: the answer cannot be read: %s.", name, e.getMessage());
    }
  }

  /**
   * What a server answers.
   *
   * @param tag its {@code ETag}; empty if it sends none
   */
  record Answer(int code, byte[] content, String tag) {

    /** The content as JSON; null if it is none. */
    JsonNode json() {
      try {
        return MAPPER.readTree(content);
      } catch (IOException e) {
        return null;
      }
    }
  }

  private Response ask(String method, URI uri, long from, String name) {
    Request.Builder request = request(uri, name).method(method, null);
    if (from > 0) {
      request.header("Range", "bytes=" + from + "-");
    }
    return ask(request.build(), uri, name);
  }

  /** The response to a request; a busy server's last one if it stays busy. */
  private Response ask(Request request, URI uri, String name) {
    for (int attempt = 1; ; attempt++) {
      try {
        Response response = CLIENT.newCall(request).execute();
        if (!BUSY.contains(response.code()) || attempt == ATTEMPTS) {
          return response;
        }
        response.close();
        retry(name, "HTTP " + response.code(), attempt, pause(response, attempt, name));
      } catch (IOException e) {
        if (e instanceof ProtocolException
            && String.valueOf(e.getMessage()).startsWith(TOO_MANY_REDIRECTS)) {
          throw new BadFileException(
              e, "%s: the server redirects too often; check the address.", name);
        }
        boolean connected = !(e instanceof ConnectException || e instanceof UnknownHostException);
        if (attempt == (connected ? ATTEMPTS : CONNECTION_ATTEMPTS)) {
          throw new BadFileException(
              e,
              "%s: %s cannot be reached (%s); check the network, or set HF_HUB_OFFLINE=1 to use only"
                  + " files that are already here.",
              name,
              uri.getAuthority(),
              e);
        }
        retry(name, e.toString(), attempt, settings.pause().multipliedBy(1L << attempt));
      }
    }
  }

  private Request.Builder request(URI uri, String name) {
    HttpUrl url = HttpUrl.parse(uri.toString());
    if (url == null) {
      throw new BadFileException("%s: %s is not a valid address; check it.", name, uri);
    }
    Request.Builder request =
        new Request.Builder()
            .url(url)
            .tag(FileName.class, new FileName(name))
            .header("User-Agent", "tokentune")
            .header("Accept-Encoding", "identity");
    HttpUrl hub = HttpUrl.parse(settings.endpoint().toString());
    if (settings.token() != null && hub != null && sameServer(url, hub)) {
      request.header("Authorization", "Bearer " + settings.token());
    }
    return request;
  }

  /**
   * Checks a redirect before OkHttp follows it: rejects one that is invalid or leaves https. A
   * redirect that already has the requested headers is the response.
   */
  private static Response checkRedirect(Interceptor.Chain chain) throws IOException {
    Request request = chain.request();
    Response response = chain.proceed(request);
    if (!response.isRedirect()) {
      return response;
    }
    String location = header(response, "Location").orElse("");
    HttpUrl next = location.isEmpty() ? null : request.url().resolve(location);
    if (next == null || (request.isHttps() && !next.isHttps())) {
      response.close();
      throw new BadFileException(
          "%s: the server redirects to '%.200s', which is not a safe address; check the address.",
          request.tag(FileName.class).name(), location);
    }
    boolean answered =
        request.method().equals("HEAD")
            && header(response, "X-Linked-Etag").isPresent()
            && !sameServer(request.url(), next);
    return answered ? response.newBuilder().removeHeader("Location").build() : response;
  }

  private static boolean sameServer(HttpUrl a, HttpUrl b) {
    return a.scheme().equals(b.scheme()) && a.host().equals(b.host()) && a.port() == b.port();
  }

  private Duration pause(Response response, int attempt, String name) {
    Optional<Duration> wanted = header(response, "Retry-After").flatMap(HttpFiles::wanted);
    if (wanted.isPresent() && wanted.get().compareTo(MOST_PAUSE) > 0) {
      throw new BadFileException(
          "%s: the server is busy (HTTP %d); try again after %d seconds.",
          name, response.code(), wanted.get().toSeconds());
    }
    return wanted.orElse(settings.pause().multipliedBy(1L << attempt));
  }

  /** Seconds or a date; empty for anything else. */
  private static Optional<Duration> wanted(String retryAfter) {
    String text = retryAfter.strip();
    try {
      Duration pause =
          text.matches("[0-9]{1,9}")
              ? Duration.ofSeconds(Long.parseLong(text))
              : Duration.between(
                  Instant.now(),
                  ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
      return Optional.of(pause.isNegative() ? Duration.ZERO : pause);
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  private void retry(String name, String reason, int attempt, Duration pause) {
    listener.onRetry(name, reason, attempt, pause);
    try {
      Thread.sleep(pause.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BadInputException(e, "The download of %s was interrupted.", name);
    }
  }

  private BadInputException refused(int status, String name) {
    String remedy =
        switch (status) {
          case 401 ->
              settings.token() == null
                  ? "it is not public, or does not exist; check the name, or set HF_TOKEN to a token"
                      + " that may read it"
                  : "it does not exist, or this token may not read it; check the name and HF_TOKEN";
          case 403 -> "access is restricted; accept the terms on its page, and set HF_TOKEN";
          case 429 -> "too many requests; try again later";
          case 500, 502, 503, 504 -> "the server is busy or has failed; try again later";
          default -> "check the address";
        };
    return new BadFileException("%s: the server answers HTTP %d: %s.", name, status, remedy);
  }
}

package org.tokentune.zoo;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** A web server on localhost that says and sends exactly what it is told to, wrong things too. */
final class RawServer implements AutoCloseable {

  private final ServerSocket socket;
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private volatile Function<Request, Reply> answers;

  /** Header names are in lower case. */
  record Request(String method, String path, Map<String, String> headers) {

    /** First byte that is asked for. */
    int from() {
      String range = headers.getOrDefault("range", "bytes=0-");
      return Integer.parseInt(range.replaceAll("\\D", ""));
    }
  }

  /**
   * An answer.
   *
   * @param sent bytes of the body that are sent before the connection is cut
   * @param millis slept before each 1000 bytes
   */
  record Reply(int status, Map<String, String> headers, byte[] body, int sent, int millis) {

    static Reply of(int status, Map<String, String> headers, byte[] body) {
      Map<String, String> all = new TreeMap<>(headers);
      all.putIfAbsent("Content-Length", Integer.toString(body.length));
      return new Reply(status, all, body, body.length, 0);
    }

    static Reply status(int status, String... header) {
      return of(status, header.length == 0 ? Map.of() : Map.of(header[0], header[1]), new byte[0]);
    }

    Reply cutAfter(int bytes) {
      return new Reply(status, headers, body, Math.min(bytes, body.length), millis);
    }

    Reply slowly(int pause) {
      return new Reply(status, headers, body, sent, pause);
    }

    Reply with(String header, String value) {
      Map<String, String> all = new TreeMap<>(headers);
      all.put(header, value);
      return new Reply(status, all, body, sent, millis);
    }
  }

  RawServer(Function<Request, Reply> answers) throws IOException {
    this.answers = answers;
    socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    start(this::accept);
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work, "server");
    thread.setDaemon(true);
    thread.start();
  }

  URI uri(String path) {
    return URI.create("http://localhost:" + socket.getLocalPort() + path);
  }

  void answer(Function<Request, Reply> other) {
    answers = other;
  }

  List<Request> requests() {
    return requests;
  }

  long count(String method, String pathEnd) {
    return requests.stream()
        .filter(request -> request.method().equals(method) && request.path().endsWith(pathEnd))
        .count();
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket connection = socket.accept();
        start(() -> serve(connection));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void serve(Socket connection) {
    try (connection;
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(connection.getInputStream(), StandardCharsets.US_ASCII));
        OutputStream out = new BufferedOutputStream(connection.getOutputStream())) {
      String[] first = in.readLine().split(" ", -1);
      Map<String, String> headers = new TreeMap<>();
      for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
        String[] parts = line.split(": ", 2);
        headers.put(parts[0].toLowerCase(Locale.ROOT), parts[1]);
      }
      Request request = new Request(first[0], first[1], headers);
      requests.add(request);
      send(answers.apply(request), request.method().equals("HEAD"), out);
    } catch (IOException e) {
      // The other side went away, as some tests have it.
    }
  }

  private static void send(Reply reply, boolean headOnly, OutputStream out) throws IOException {
    StringBuilder head = new StringBuilder("HTTP/1.1 " + reply.status() + " x\r\n");
    reply.headers().forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
    out.write((head + "Connection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
    for (int i = 0; i < reply.sent() && !headOnly; i += 1000) {
      pause(reply.millis(), out);
      out.write(reply.body(), i, Math.min(1000, reply.sent() - i));
    }
    out.flush();
  }

  private static void pause(int millis, OutputStream out) throws IOException {
    if (millis > 0) {
      out.flush();
      try {
        Thread.sleep(millis);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

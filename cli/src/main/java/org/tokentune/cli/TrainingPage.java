package org.tokentune.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.tokentune.BadSettingsException;
import org.tokentune.train.StepMemoryReport;

/** A page on this computer's own address that shows a training while it runs. */
final class TrainingPage implements TrainingCurves.Sink {

  /** Points of a curve; past them, every other one goes. */
  private static final int MOST_POINTS = 4000;

  /** Other names could belong to pages elsewhere that point at this computer. */
  private static final Set<String> HOSTS = Set.of("localhost", "127.0.0.1", "[::1]");

  private final String title;
  private final HttpServer server;
  private final ExecutorService threads;
  private final Map<String, Curve> curves = new LinkedHashMap<>();
  private StepMemoryReport memory;
  private int step;
  private int steps;

  /** A number by step. */
  private static final class Curve {
    private final List<Integer> steps = new ArrayList<>();
    private final List<Double> values = new ArrayList<>();
    private int stride = 1;
    private long count;

    void add(int step, double value) {
      if (count++ % stride != 0) {
        return;
      }
      steps.add(step);
      values.add(value);
      if (steps.size() > MOST_POINTS) {
        for (int i = steps.size() - 1; i > 0; i -= 2) {
          int odd = i % 2 == 1 ? i : i - 1;
          steps.remove(odd);
          values.remove(odd);
        }
        stride *= 2;
      }
    }

    void put(ArrayNode points) {
      for (int i = 0; i < steps.size(); i++) {
        double value = values.get(i);
        points
            .addArray()
            .add(steps.get(i))
            .add(Double.isFinite(value) ? Double.valueOf(value) : null);
      }
    }
  }

  private TrainingPage(String title, HttpServer server) {
    this.title = title;
    this.server = server;
    threads =
        Executors.newSingleThreadExecutor(
            work -> {
              Thread thread = new Thread(work, "training-page");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Begins to serve.
   *
   * @param port 0: any that is free
   */
  static TrainingPage open(String title, int port) {
    try {
      HttpServer server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
      TrainingPage page = new TrainingPage(title, server);
      server.setExecutor(page.threads);
      server.createContext("/", page::answer);
      server.start();
      return page;
    } catch (IOException e) {
      throw new BadSettingsException(
          e, "Port %d of --ui cannot be used (%s); name another.", port, e.getMessage());
    }
  }

  String address() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/";
  }

  @Override
  public synchronized void plan(StepMemoryReport planned) {
    memory = planned;
  }

  @Override
  public synchronized void begin(int before) {
    step = before;
  }

  @Override
  public synchronized void add(int now, int all, Map<String, Double> numbers) {
    step = now;
    steps = all;
    numbers.forEach(
        (name, value) -> curves.computeIfAbsent(name, unknown -> new Curve()).add(now, value));
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String host = String.valueOf(exchange.getRequestHeaders().getFirst("Host"));
      if (!HOSTS.contains(host.replaceFirst(":\\d+$", "").toLowerCase(Locale.ROOT))) {
        send(exchange, 403, "text/plain", "This page is for this computer alone.\n");
      } else if (!exchange.getRequestMethod().equals("GET")) {
        send(exchange, 405, "text/plain", "Only GET is known here.\n");
      } else {
        switch (exchange.getRequestURI().getPath()) {
          case "/" -> send(exchange, 200, "text/html", page());
          case "/numbers" -> send(exchange, 200, "application/json", numbers());
          case "/arena" -> arena(exchange);
          default -> send(exchange, 404, "text/plain", "There is no such page.\n");
        }
      }
    }
  }

  private static void send(HttpExchange exchange, int code, String type, String text)
      throws IOException {
    byte[] bytes = text.getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type + "; charset=utf-8");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
    exchange.sendResponseHeaders(code, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private String page() {
    return HtmlPage.of("training.html", title, JsonOption.object());
  }

  private void arena(HttpExchange exchange) throws IOException {
    StepMemoryReport planned = memory();
    if (planned == null) {
      send(exchange, 404, "text/plain", "The training's largest step is not planned yet.\n");
      return;
    }
    Map<String, StepMemoryReport> reports = Map.of("largest step", planned);
    send(
        exchange,
        200,
        "text/html",
        ArenaPage.html(title, "as planned", reports, StepMemoryReport.table(reports)));
  }

  private synchronized StepMemoryReport memory() {
    return memory;
  }

  private synchronized String numbers() {
    ObjectNode all = JsonOption.object().put("step", step).put("steps", steps);
    if (memory != null) {
      ObjectNode bytes = all.putObject("memory");
      bytes.put("parameters", memory.parameters()).put("optimizer state", memory.optimizerState());
      bytes.put("sums of gradients", memory.gradientSums());
      bytes.put("arena of the largest step", memory.step().arena()).put("total", memory.total());
    }
    ObjectNode points = all.putObject("curves");
    curves.forEach((name, curve) -> curve.put(points.putArray(name)));
    return all.toString();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}

package org.tokentune.server;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpResponseException;
import io.javalin.util.JavalinException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.ModelFiles;

/**
 * A model, and adapters on it, behind an HTTP address: what OpenAI's clients ask of language models
 * and sentence encoders, and {@code /classify} and {@code /rerank}. Requests of several clients run
 * together.
 */
public final class ModelServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ModelServer.class);

  private static final String OTHER = "other";

  /** Threads besides those of requests under way, to refuse others and to accept connections. */
  private static final int MORE_THREADS = 16;

  /** Answers are sent within this time after they are ready. */
  private static final Duration SENDING = Duration.ofSeconds(5);

  /** What is read of a body that is too large, so that its client reads the answer. */
  private static final long DRAINED = 64_000_000;

  /** What is read of a body at once. */
  private static final int PART = 16_384;

  private static final String RETRY_AFTER = "Retry-After";
  private static final String SECONDS_TO_RETRY = "1";

  private final ServerSettings settings;
  private final Instant started = Instant.now();
  private final Semaphore room;
  private final Metrics metrics;
  private final ServedModels models;
  private final RequestGuard guard;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile boolean stopping;
  private Javalin javalin;

  private ModelServer(ModelFiles files, ServedFiles served, ServerSettings settings) {
    this.settings = settings;
    room = new Semaphore(settings.queue());
    metrics = new Metrics(() -> settings.queue() - room.availablePermits());
    guard = new RequestGuard(settings);
    models = ServedModels.open(files, served, settings, metrics);
  }

  /**
   * Opens a model and listens.
   *
   * @param files of the model, which stay open as long as the server
   * @throws BadInputException if the address cannot be listened on, or there is nothing to serve
   */
  public static ModelServer start(ModelFiles files, ServedFiles served, ServerSettings settings) {
    required(files, "files");
    required(served, "served");
    required(settings, "settings");

    checkAddress(settings); // before a model is read, which may take long
    ModelServer server = new ModelServer(files, served, settings);
    boolean complete = false;
    try {
      server.javalin = Javalin.create(server::configure).start();
      complete = true;
      return server;
    } catch (JavalinException e) {
      throw unusable(settings, e);
    } finally {
      if (!complete) {
        server.models.close();
      }
    }
  }

  private static void checkAddress(ServerSettings settings) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.getByName(settings.host()), settings.port()));
    } catch (UnknownHostException e) {
      throw (BadSettingsException)
          BadSettingsException.of(
                  "host", "%s is not known; name an address of this machine.", settings.host())
              .initCause(e);
    } catch (IOException e) {
      throw unusable(settings, e);
    }
  }

  private static BadSettingsException unusable(ServerSettings settings, Exception cause) {
    Throwable root = cause;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return (BadSettingsException)
        BadSettingsException.of(
                "port",
                "%d of %s cannot be listened on (%s); choose another, or stop the program that has it.",
                settings.port(),
                settings.host(),
                root.getMessage())
            .initCause(cause);
  }

  private void configure(JavalinConfig config) {
    config.startup.showJavalinBanner = false;
    config.startup.showOldJavalinVersionWarning = false;
    config.startup.startupWatcherEnabled = false;
    config.http.prefer405over404 = true;
    config.http.compressionStrategy = CompressionStrategy.NONE;
    config.jetty.threadPool = new QueuedThreadPool(settings.queue() + MORE_THREADS, MORE_THREADS);
    config.jetty.addConnector(this::connector);
    config.jetty.modifyServer(
        server -> {
          server.insertHandler(new GracefulHandler());
          server.setErrorHandler(new HttpErrors());
          server.setStopTimeout(SENDING.toMillis());
        });
    config.routes.get(Paths.PAGE, ModelServer::page);
    config.routes.get(Paths.HEALTH, context -> answer(Paths.HEALTH, context, this::health));
    config.routes.get(Paths.METRICS, context -> guarded(Paths.METRICS, context, this::metrics));
    config.routes.get(Paths.MODELS, context -> guarded(Paths.MODELS, context, this::list));
    config.routes.get(
        Paths.MODELS + "/{name}", context -> guarded(Paths.MODELS, context, this::model));
    post(config, Paths.COMPLETIONS, new CompletionEndpoint(models, metrics, settings.maxTokens()));
    post(config, Paths.CHAT_COMPLETIONS, new ChatEndpoint(models, metrics, settings.maxTokens()));
    post(config, Paths.EMBEDDINGS, new EmbeddingsEndpoint(models));
    post(config, Paths.CLASSIFY, new ClassifyEndpoint(models));
    Call.Endpoint rerank = new RerankEndpoint(models);
    post(config, Paths.RERANK, rerank);
    post(config, "/v1" + Paths.RERANK, rerank); // where some clients look for it
    config.routes.exception(
        HttpResponseException.class,
        (e, context) ->
            answer(
                OTHER,
                context,
                same -> {
                  throw ApiException.refused(
                      e.getStatus(),
                      null,
                      "%s %s: %s.",
                      context.method(),
                      context.path(),
                      e.getMessage());
                }));
  }

  private Connector connector(Server server, HttpConfiguration http) {
    http.setSendServerVersion(false);
    ServerConnector connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
    connector.setHost(settings.host());
    connector.setPort(settings.port());
    // Otherwise a connection would end whose answer takes long.
    connector.setIdleTimeout(Duration.ofSeconds(settings.timeout()).plus(SENDING).toMillis());
    return connector;
  }

  private void post(JavalinConfig config, String path, Call.Endpoint endpoint) {
    config.routes.post(path, context -> guarded(path, context, same -> underWay(same, endpoint)));
  }

  private interface Handler {
    void handle(Context context) throws IOException, InterruptedException;
  }

  private void guarded(String endpoint, Context context, Handler handler) {
    answer(
        endpoint,
        context,
        same -> {
          guard.check(same);
          handler.handle(same);
        });
  }

  private void underWay(Context context, Call.Endpoint endpoint)
      throws IOException, InterruptedException {
    guard.checkType(context);
    if (stopping) {
      throw stopping();
    }
    if (!room.tryAcquire()) {
      throw ApiException.later(
          429,
          "rate_limit_exceeded",
          "%d requests are under way, which is as many as are taken; try later.",
          settings.queue());
    }
    try {
      Deadline deadline = Deadline.in(settings.timeout());
      RequestFields fields = RequestFields.of(body(context, deadline));
      endpoint.answer(new Call(context, fields, new Client(context.req()), deadline));
    } finally {
      room.release();
    }
  }

  private byte[] body(Context context, Deadline deadline) {
    long most = settings.maxBody();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    long length = 0;
    try (InputStream in = context.req().getInputStream()) {
      byte[] part = new byte[PART];
      for (int read = in.read(part); read >= 0 && length < DRAINED; read = in.read(part)) {
        length += read;
        if (length <= most) {
          body.write(part, 0, read);
        }
        if (deadline.left() <= 0) { // whoever sends byte by byte
          throw ApiException.refused(
              408,
              "timeout",
              "The body took more than %d seconds; send it faster.",
              deadline.seconds());
        }
      }
    } catch (IOException e) {
      throw ApiException.refused(408, "timeout", "The body did not come: %s.", e.getMessage());
    }
    if (length > most) {
      throw ApiException.refused(
          413,
          "request_too_large",
          "The body has more than %d bytes; send less, in several requests.",
          most);
    }
    return body.toByteArray();
  }

  /** Answers, whatever happens. */
  private void answer(String endpoint, Context context, Handler handler) {
    long begin = System.nanoTime();
    int status;
    try {
      handler.handle(context);
      status = context.statusCode();
    } catch (IOException e) {
      status = fail(context, ApiException.gone());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      status = fail(context, stopping());
    } catch (RuntimeException | Error e) {
      status = fail(context, error(e));
    }
    metrics.answered(endpoint, status, System.nanoTime() - begin);
  }

  private int fail(Context context, ApiException error) {
    if (context.res().isCommitted()) {
      return error.status();
    }
    context.header("Cache-Control", "no-store");
    if (error.mayBeRepeated()) {
      context.header(RETRY_AFTER, SECONDS_TO_RETRY);
    }
    if (error.status() == 401) {
      context.header("WWW-Authenticate", "Bearer");
    }
    if (stopping || error.status() == ApiException.GONE) { // of what a client sent, a byte was read
      context.header("Connection", "close");
    }
    try {
      Answers.json(context, error.status(), error.json());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // JSON of four texts
    }
    return error.status();
  }

  /** What went wrong, as clients are told. */
  static ApiException error(Throwable failure) {
    if (failure instanceof ApiException api) {
      return api;
    }
    if (failure instanceof BadSettingsException bad && bad.setting().isPresent()) {
      String field = bad.setting().get().replaceAll("(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
      return ApiException.bad(field, "%s", bad.messageWith(field));
    }
    // Others are the server's own fault, such as a damaged file or a closed model.
    if (failure instanceof BadDataException || failure instanceof BadSettingsException) {
      return ApiException.bad(null, "%s", failure.getMessage());
    }
    LOG.error("A request failed", failure);
    return ApiException.later(
        500,
        "internal_error",
        failure instanceof OutOfMemoryError
            ? "There is not enough memory for this request; send less, or give the server more."
            : "The server failed to answer; its log says why.");
  }

  static ApiException stopping() {
    return ApiException.later(503, "stopping", "The server is stopping; try later.");
  }

  private static void page(Context context) throws IOException {
    try (InputStream page = ModelServer.class.getResourceAsStream("page.html")) {
      context.header("X-Content-Type-Options", "nosniff");
      context.header(
          "Content-Security-Policy",
          "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src"
              + " 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
      context.contentType("text/html; charset=utf-8").result(page.readAllBytes());
    }
  }

  private void health(Context context) throws IOException {
    if (stopping) {
      throw stopping();
    }
    for (ServedModel model : models.all()) {
      if (!model.works()) {
        throw ApiException.failed(model.name());
      }
    }
    Answers.json(context, 200, Answers.object().put("status", "ok"));
  }

  private void metrics(Context context) {
    context.contentType(metrics.contentType()).result(metrics.text());
  }

  private void list(Context context) throws IOException {
    ObjectNode answer = Answers.object().put("object", "list");
    ArrayNode data = answer.putArray("data");
    models.all().forEach(model -> data.add(described(model)));
    Answers.json(context, 200, answer);
  }

  private void model(Context context) throws IOException {
    Answers.json(context, 200, described(models.find(context.pathParam("name"))));
  }

  private ObjectNode described(ServedModel model) {
    ObjectNode json =
        Answers.object()
            .put("id", model.name())
            .put("object", "model")
            .put("created", started.getEpochSecond())
            .put("owned_by", "tokentune");
    model.paths().forEach(json.putArray("endpoints")::add);
    return json;
  }

  /** The port that the server listens on. */
  public int port() {
    return javalin.port();
  }

  /** A line for each model: its name, what it is, and the paths that it answers. */
  public List<String> descriptions() {
    return models.all().stream()
        .map(
            model ->
                model.name() + ": " + model.kind() + ", " + String.join(" and ", model.paths()))
        .toList();
  }

  /** Waits until the server is closed. */
  public void awaitClose() throws InterruptedException {
    closed.await();
  }

  /** Answers the requests under way, refuses others, and stops. */
  @Override
  public synchronized void close() {
    if (stopping) {
      return;
    }
    stopping = true;
    try {
      room.tryAcquire(settings.queue(), settings.timeout(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    try {
      javalin.stop();
    } finally {
      try {
        models.close();
      } finally {
        closed.countDown();
      }
    }
  }
}

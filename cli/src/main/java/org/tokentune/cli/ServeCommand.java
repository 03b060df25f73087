package org.tokentune.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.server.ModelServer;
import org.tokentune.server.ServedFiles;
import org.tokentune.server.ServerSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Puts a model behind an HTTP address. */
@Command(
    name = "serve",
    sortOptions = false,
    description = {
      "Puts a model behind an HTTP address, with OpenAI's endpoints and a page to try it.",
      "A language model answers /v1/chat/completions and /v1/completions, a sentence encoder",
      "/v1/embeddings, a classifier /classify, a cross-encoder /rerank, until it is interrupted.",
      "docs/serve.md has examples."
    },
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {

  private static final String KEY = "TOKENTUNE_API_KEY";

  private static final String HUB = "hf:";

  private static final ServerSettings DEFAULTS = ServerSettings.defaults();

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      required = true,
      description = "A model of the zoo, an address or a folder.")
  private String model;

  @Option(
      names = "--adapter",
      paramLabel = "NAME=DIR",
      description = {
        "Serve adapters on the model, too, for requests whose model is NAME; may be given several times.",
        "The weights of a language model are in memory once."
      })
  private Map<String, Path> adapters = new LinkedHashMap<>();

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The model's own name in requests; default: the last part of --model.")
  private String name;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description = {
        "Listen at this address; default ${DEFAULT-VALUE}: for this machine alone. 0.0.0.0: for all",
        "networks; give a key then."
      })
  private String host = DEFAULTS.host();

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Listen at this port; 0: any that is free. Default ${DEFAULT-VALUE}.")
  private int port = DEFAULTS.port();

  @Option(
      names = "--api-key",
      paramLabel = "KEY",
      description = {
        "Answer only requests that have it (Authorization: Bearer KEY). Others on this machine may see",
        "options: rather set " + KEY + "."
      })
  private String apiKey;

  @Option(
      names = "--template",
      paramLabel = "NAME",
      description = {
        "A named chat template of the model, or chatml, llama3, alpaca or plain; default: the model's",
        "own."
      })
  private String template;

  @Mixin private StoredWeights weights;
  @Mixin private OnLongOption onLong;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "New tokens of a text at most; default ${DEFAULT-VALUE}.")
  private int maxTokens = DEFAULTS.maxTokens();

  @Option(
      names = "--max-body",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      description = "Most bytes of a request; default 2MB.")
  private long maxBody = DEFAULTS.maxBody();

  @Option(
      names = "--queue",
      paramLabel = "N",
      description = {
        "Requests that run or wait at most; others are told to come back (status 429). Default",
        "${DEFAULT-VALUE}."
      })
  private int queue = DEFAULTS.queue();

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "Time of a request at most (then status 503); default ${DEFAULT-VALUE}.")
  private int timeout = DEFAULTS.timeout();

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      description = {
        "Texts that run at once, whoever sent them; default ${DEFAULT-VALUE}. Does not change results."
      })
  private int batchSize = DEFAULTS.batchSize();

  @Option(
      names = "--batch-wait",
      paramLabel = "MILLISECONDS",
      description = {
        "Time that a text waits for others to run with, but for generated ones, which others join at any",
        "token; default ${DEFAULT-VALUE}."
      })
  private int batchWait = DEFAULTS.batchWait();

  @Option(
      names = "--cache-tokens",
      paramLabel = "N",
      description = {
        "Hold the keys and values of as many tokens, of all texts that a model generates at once; a text",
        "that needs more is refused. Default ${DEFAULT-VALUE}."
      })
  private int cacheTokens = DEFAULTS.cacheTokens();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws InterruptedException {
    ServerSettings settings =
        new ServerSettings(
            host,
            port,
            key(),
            maxBody,
            maxTokens,
            queue,
            timeout,
            batchSize,
            batchWait,
            cacheTokens);
    ServedFiles served =
        new ServedFiles(
            name == null ? defaultName(model) : name,
            adapters,
            weights.storage(),
            template,
            onLong.given());
    PrintWriter out = spec.commandLine().getOut();
    try (ModelFiles files = Models.open(model);
        ModelServer server = ModelServer.start(files, served, settings)) {
      Thread stop = new Thread(server::close, "stop");
      Runtime.getRuntime().addShutdownHook(stop);
      server.descriptions().forEach(out::println);
      out.printf(
          Locale.ROOT,
          "Listening at http://%s:%d%s%n",
          host.contains(":") ? "[" + host + "]" : host,
          server.port(),
          settings.apiKey() == null ? "" : ", with a key");
      out.flush();
      server.awaitClose();
    }
    return 0;
  }

  private String key() {
    String key = apiKey == null ? System.getenv(KEY) : apiKey;
    if (key != null && key.isEmpty()) {
      throw new BadSettingsException(
          "The API key is empty; give one, or leave out %s.", apiKey == null ? KEY : "--api-key");
    }
    return key;
  }

  /** The last part of a path or an address, without the revision of an address. */
  static String defaultName(String model) {
    if (Models.path(model) == null) {
      String address =
          model.startsWith(HUB) ? model.substring(HUB.length()).replaceFirst("@.*", "") : model;
      return address.replaceFirst("/+$", "").replaceFirst(".*/", "");
    }
    Path last = Path.of(model).toAbsolutePath().normalize().getFileName();
    return last == null ? "model" : last.toString(); // the root of a file system has no name
  }
}

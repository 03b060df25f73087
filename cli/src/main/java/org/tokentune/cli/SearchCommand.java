package org.tokentune.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.files.Folders;
import org.tokentune.files.RunFolder;
import org.tokentune.objectives.Metric;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Searches options of a training. */
@Command(
    name = SearchCommand.NAME,
    sortOptions = false,
    description = {
      "Trains with options drawn from ranges, and keeps those with the best validation score.",
      "The settings file has the options of train, and the ranges under search:, such as",
      "",
      "  data: reviews.csv",
      "  search:",
      "    learning-rate: {log-uniform: [1e-5, 1e-3]}",
      "    weight-decay: {uniform: [0, 0.1]}",
      "    epochs: {integer: [1, 5]}",
      "    batch-size: [8, 16, 32]",
      "",
      "The folder gets trials.csv, search.json, the best options as best.yaml, and the best model.",
      "A search that was ended goes on where it was if the same command is given again."
    },
    footer = {
      "",
      "Examples:",
      "  tokentune search --config run.yaml --trials 20 --budget 1h",
      "  tokentune search --config run.yaml --trials 27 --method halving --output found",
      "  tokentune train --config tokentune-search/best.yaml"
    },
    mixinStandardHelpOptions = true)
final class SearchCommand implements Callable<Integer> {

  static final String NAME = "search";

  /** The key of the ranges in the settings file. */
  private static final String RANGES = "search";

  /** Options of train that a search gives itself. */
  private static final List<String> OWN =
      List.of("output", "overwrite", "json", "resume", "config", "tensorboard", "ui");

  /** The folder that keeps two searches from writing into one. */
  private static final String LOCK = ".search";

  /** Share of the memory that is free that a training may take. */
  private static final double FREE_SHARE = 0.9;

  private static final ObjectMapper JSON = new ObjectMapper();

  /** How trials are chosen. */
  enum Method {
    RANDOM,
    HALVING;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = ConfigFile.OPTION,
      paramLabel = "FILE",
      required = true,
      description = "Options of train in a YAML file, with ranges under search:.")
  private Path config;

  @Option(
      names = "--trials",
      paramLabel = "N",
      defaultValue = "20",
      description = "How many options are drawn; default ${DEFAULT-VALUE}.")
  private int trials;

  @Option(
      names = "--budget",
      paramLabel = "1h30m",
      description = {
        "No training begins that would not end in this time, judging by the longest of its round so",
        "far; those before the search was resumed count. Default: no limit."
      })
  private String budget;

  @Option(
      names = "--method",
      paramLabel = "random|halving",
      defaultValue = "random",
      description = {
        "random: every training is as long as the file says. halving: begins with shorter ones, and",
        "trains the best third three times as long, until one is left. Default ${DEFAULT-VALUE}."
      })
  private Method method;

  @Option(
      names = "--by",
      paramLabel = "METRIC[,METRIC]",
      split = ",",
      hideParamSyntax = true,
      description = {
        "The score: a metric of the validation rows as --best-by has them, or the mean of several.",
        "Default: best-by in the file, otherwise accuracy, for numbers the squared error, else loss."
      })
  private List<Metric> by = List.of();

  @Option(
      names = "--memory-limit",
      paramLabel = "8GB",
      converter = ByteSize.class,
      description = {
        "Trials that would take more, as planned before their first step, are passed over. Default:",
        "nine tenths of the memory that is free; on Spark, no limit."
      })
  private long memoryLimit;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "42",
      description = "Seed of what is drawn; default ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      defaultValue = "tokentune-search",
      description = "Folder of the result; default ${DEFAULT-VALUE}.")
  private Path output;

  @Mixin private JsonOption json;

  @Spec private CommandSpec spec;

  private final List<Trial> done = new ArrayList<>();
  private ObjectNode base;
  private SearchSpace space;
  private ObjectNode setup;

  @Override
  public Integer call() {
    json.check();
    Budget limit = Budget.of(budget);
    if (trials < 1) {
      throw BadSettingsException.of("trials", "must be at least 1, got %d.", trials);
    }
    readSettings();
    boolean bySteps = base.has("steps");
    String lengthOption = bySteps ? "steps" : "epochs";
    int length = base.path(lengthOption).asInt(3);
    if (method == Method.HALVING && space.ranges().containsKey(lengthOption)) {
      throw new BadSettingsException(
          "search: %s cannot be searched with --method halving, which sets them.", lengthOption);
    }
    SearchRounds rounds =
        method == Method.HALVING
            ? SearchRounds.halving(trials, length)
            : SearchRounds.single(trials, length);
    PrintWriter out = spec.commandLine().getOut();
    RunFolder lock = RunFolder.lock(output.resolve(LOCK));
    try {
      resume(out);
      int code = search(rounds, lengthOption, limit, out);
      if (code != 0) {
        return code;
      }
    } finally {
      lock.close();
    }
    List<Trial> sorted = done.stream().sorted(Trial.BEST_FIRST).toList();
    print(out, sorted, lengthOption);
    json.write(stateFile().state(done));
    if (sorted.isEmpty() || !sorted.get(0).ended()) {
      out.println("No trial ended; raise --budget or --memory-limit, or change the ranges.");
      out.flush();
      return 1;
    }
    out.printf(
        Locale.ROOT,
        "%nThe best options are in %s, and its model in %s.%n",
        output.resolve("best.yaml"),
        output.resolve("best"));
    out.flush();
    return 0;
  }

  private void readSettings() {
    base = ConfigFile.read(config);
    JsonNode ranges = base.remove(RANGES);
    space = SearchSpace.of(ranges == null ? JSON.createObjectNode() : ranges);
    CommandSpec train = TokenTune.commands().getSubcommands().get("train").getCommandSpec();
    for (String option : space.ranges().keySet()) {
      if (train.findOption("--" + option) == null || OWN.contains(option)) {
        throw new BadSettingsException("%s: search cannot draw %s.", config, option);
      }
      if (base.has(option)) {
        throw new BadSettingsException(
            "%s: %s is both given and searched; remove one.", config, option);
      }
    }
    base.remove(OWN);
    if (by.isEmpty() && base.has("best-by")) {
      by =
          Stream.of(base.get("best-by").asText().split(","))
              .map(name -> Metric.valueOf(name.strip().toUpperCase(Locale.ROOT)))
              .toList();
    }
    setup = JSON.createObjectNode();
    setup.set("options", base.deepCopy());
    setup.set("ranges", ranges);
    setup.put("seed", seed).put("method", method.toString());
    by.forEach(metric -> setup.withArray("by").add(metric.name()));
    if (method == Method.HALVING) {
      setup.put("trials", trials);
    }
  }

  private StateFile stateFile() {
    return new StateFile(output.resolve("search.json"), setup, "trials");
  }

  private void resume(PrintWriter out) {
    done.addAll(stateFile().read(Trial.class));
    if (!done.isEmpty()) {
      out.printf(Locale.ROOT, "Going on after %d trainings.%n", done.size());
      out.flush();
    }
  }

  /** Returns an exit code: 0, or 130 if it was interrupted. */
  private int search(SearchRounds rounds, String lengthOption, Budget limit, PrintWriter out) {
    List<Integer> numbers = new ArrayList<>();
    for (int number = 1; number <= trials; number++) {
      numbers.add(number);
    }
    for (int round = 1; round <= rounds.counts().size(); round++) {
      int length = rounds.lengths().get(round - 1);
      for (int number : numbers) {
        if (find(number, round).isPresent()) {
          continue;
        }
        if (!fits(limit, round)) {
          out.println("The budget is used up.");
          return 0;
        }
        Trial trial = run(number, round, length, lengthOption);
        if (trial == null) {
          return LoggedCommand.INTERRUPTED;
        }
        if (done.isEmpty() && !trial.ended() && !trial.message().startsWith(MemoryLimit.REFUSED)) {
          throw new BadInputException("The first trial failed: %s", trial.message());
        }
        add(trial, lengthOption);
        out.printf(Locale.ROOT, "%s%n", line(trial));
        out.flush();
      }
      int now = round;
      int next = round < rounds.counts().size() ? rounds.counts().get(round) : 0;
      numbers =
          done.stream()
              .filter(trial -> trial.round() == now && trial.ended())
              .sorted(Trial.BEST_FIRST)
              .limit(next)
              .map(Trial::number)
              .toList();
    }
    return 0;
  }

  private Optional<Trial> find(int number, int round) {
    return done.stream()
        .filter(trial -> trial.number() == number && trial.round() == round)
        .findFirst();
  }

  private boolean fits(Budget limit, int round) {
    double used = done.stream().mapToDouble(Trial::seconds).sum();
    double next =
        done.stream()
            .filter(trial -> trial.round() == round)
            .mapToDouble(Trial::seconds)
            .max()
            .orElse(0);
    return limit.fits(used, next);
  }

  /** Trains; returns null if it was interrupted. */
  private Trial run(int number, int round, int length, String lengthOption) {
    String name = "trial-" + number + (round > 1 ? "-round-" + round : "");
    Map<String, String> drawn = space.draw(seed, number);
    Path settings = output.resolve(name + ".yaml");
    ObjectNode options = options(drawn, length, lengthOption);
    ConfigFile.write(settings, options);
    Path result = output.resolve(name + ".json");
    Path model = output.resolve("trial");
    delete(model);
    List<String> arguments =
        new ArrayList<>(
            List.of("train", "--config=" + settings, "--output=" + model, "--json=" + result));
    if (memoryLimit > 0 || !options.has("spark")) { // where other machines have the memory
      long limit = memoryLimit > 0 ? memoryLimit : free();
      arguments.add("--memory-limit=" + limit + "B");
    }
    LoggedCommand training = LoggedCommand.run(output.resolve(name + ".log"), arguments);
    if (training.interrupted()) {
      return null;
    }
    int used =
        space.ranges().containsKey(lengthOption)
            ? Integer.parseInt(drawn.get(lengthOption))
            : length;
    double seconds = training.seconds();
    if (training.code() != 0) {
      return new Trial(number, round, used, drawn, null, null, seconds, 0, training.message());
    }
    try {
      return ended(number, round, used, drawn, JSON.readTree(result.toFile()), seconds);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", result, e.getMessage());
    }
  }

  private Trial ended(
      int number,
      int round,
      int length,
      Map<String, String> drawn,
      JsonNode result,
      double seconds) {
    JsonNode validation = JSON.missingNode();
    for (JsonNode evaluation : result.path("evaluations")) {
      if (evaluation.path("step").asInt() == result.path("best_step").asInt()) {
        validation = evaluation.path("validation");
      }
    }
    Double score = score(validation);
    String message = Double.isFinite(score) ? "" : "its score is not a number";
    return new Trial(
        number,
        round,
        length,
        drawn,
        Double.isFinite(score) ? score : null,
        validation.path("loss").asDouble(Double.MAX_VALUE),
        seconds,
        MethodRun.megabytes(result),
        message);
  }

  /** The mean of the metrics, those of which less is better negated. */
  private double score(JsonNode validation) {
    List<Metric> metrics = by;
    if (metrics.isEmpty()) {
      metrics =
          Stream.of(Metric.ACCURACY, Metric.MEAN_SQUARED_ERROR, Metric.LOSS)
              .filter(metric -> validation.has(ScoresReport.field(metric)))
              .limit(1)
              .toList();
    }
    double sum = 0;
    for (Metric metric : metrics) {
      if (!validation.has(ScoresReport.field(metric))) {
        throw BadSettingsException.of(
            "by", "must be a score of this task, got %s.", ScoresReport.field(metric));
      }
      double value = validation.path(ScoresReport.field(metric)).asDouble(Double.NaN);
      sum += metric == Metric.LOSS || metric == Metric.MEAN_SQUARED_ERROR ? -value : value;
    }
    return metrics.isEmpty() ? Double.NaN : sum / metrics.size();
  }

  private ObjectNode options(Map<String, String> drawn, int length, String lengthOption) {
    ObjectNode options = base.deepCopy();
    options.put(lengthOption, length);
    drawn.forEach(options::put);
    return options;
  }

  /** Bytes that are free, outside of the heap. */
  private static long free() {
    long bytes = Pointer.maxBytes();
    try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
      long kilobytes =
          lines
              .filter(line -> line.startsWith("MemAvailable:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
              .findFirst()
              .orElse(bytes / 1024);
      bytes = Math.min(bytes, kilobytes * 1024);
    } catch (IOException e) {
      // Not Linux: ND4J's own limit, by default the size of the heap.
    }
    return Math.max(1, (long) (FREE_SHARE * bytes));
  }

  /** Records a trial; keeps its model if it is the best. */
  private void add(Trial trial, String lengthOption) {
    done.add(trial);
    Path model = output.resolve("trial");
    Trial best = done.stream().min(Trial.BEST_FIRST).orElseThrow();
    if (trial.ended() && best.equals(trial)) {
      Path kept = output.resolve("best");
      delete(kept);
      try {
        Files.move(model, kept);
      } catch (IOException e) {
        throw new BadFileException(e, "%s cannot be written: %s.", kept, e.getMessage());
      }
      ObjectNode options = options(trial.options(), trial.length(), lengthOption);
      ConfigFile.write(output.resolve("best.yaml"), options);
      ConfigFile.write(kept.resolve(ConfigFile.EFFECTIVE), options); // without the trial's folder
    }
    delete(model);
    new OutputFile(output.resolve("trials.csv"))
        .write(out -> out.write(csv(lengthOption).getBytes(StandardCharsets.UTF_8)));
    stateFile().write(done);
  }

  private static void delete(Path folder) {
    try {
      Folders.delete(folder);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be removed: %s.", folder, e.getMessage());
    }
  }

  private String csv(String lengthOption) {
    List<String> names = List.copyOf(space.ranges().keySet());
    StringBuilder text = new StringBuilder("trial,round");
    if (!names.contains(lengthOption)) {
      text.append(',').append(lengthOption);
    }
    names.forEach(name -> text.append(',').append(name));
    text.append(",score,loss,seconds,megabytes,message\n");
    for (Trial trial : done) {
      text.append(trial.number()).append(',').append(trial.round());
      if (!names.contains(lengthOption)) {
        text.append(',').append(trial.length());
      }
      names.forEach(name -> text.append(',').append(quoted(trial.options().get(name))));
      text.append(',').append(trial.ended() ? trial.score() : "");
      text.append(',').append(trial.ended() ? trial.loss() : "");
      text.append(String.format(Locale.ROOT, ",%.1f,%.1f,", trial.seconds(), trial.megabytes()));
      text.append(quoted(trial.message())).append('\n');
    }
    return text.toString();
  }

  private static String quoted(String value) {
    return value.matches("[^,\"\n]*") ? value : '"' + value.replace("\"", "\"\"") + '"';
  }

  private static String line(Trial trial) {
    String options =
        trial.options().entrySet().stream()
            .map(entry -> entry.getKey() + " " + entry.getValue())
            .collect(Collectors.joining(", "));
    String result =
        trial.ended()
            ? String.format(Locale.ROOT, "score %.4f, loss %.4f", trial.score(), trial.loss())
            : trial.message();
    String round = trial.round() == 1 ? "" : ", round " + trial.round();
    return String.format(Locale.ROOT, "Trial %d%s: %s: %s", trial.number(), round, options, result);
  }

  private void print(PrintWriter out, List<Trial> sorted, String lengthOption) {
    List<String> names = List.copyOf(space.ranges().keySet());
    StringBuilder format = new StringBuilder();
    out.printf(Locale.ROOT, "%n%5s %7s", "trial", lengthOption);
    for (String name : names) {
      format.append(" %").append(Math.max(8, name.length())).append('s');
    }
    out.printf(Locale.ROOT, format.toString(), names.toArray());
    out.printf(Locale.ROOT, " %8s %8s %8s %8s%n", "score", "loss", "seconds", "MB");
    for (Trial trial : sorted) {
      out.printf(Locale.ROOT, "%5d %7d", trial.number(), trial.length());
      out.printf(
          Locale.ROOT, format.toString(), names.stream().map(trial.options()::get).toArray());
      if (trial.ended()) {
        out.printf(
            Locale.ROOT,
            " %8.4f %8.4f %8.1f %8.1f%n",
            trial.score(),
            trial.loss(),
            trial.seconds(),
            trial.megabytes());
      } else {
        out.printf(Locale.ROOT, " %s%n", trial.message());
      }
    }
  }
}

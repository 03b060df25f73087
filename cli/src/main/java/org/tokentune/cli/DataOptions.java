package org.tokentune.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.GlueTask;
import org.tokentune.datasets.RelatedTexts;
import org.tokentune.datasets.SentiWordNet;
import org.tokentune.datasets.TextFiles;
import org.tokentune.tables.TableFiles;
import org.tokentune.zoo.HubDataset;
import picocli.CommandLine.Option;

/** Options for the columns of the data, and the meaning of the data's names. */
final class DataOptions {

  /** The built-in data set. */
  static final String SENTIWORDNET = "sentiwordnet";

  private static final String JDBC = "jdbc:";

  /** The built-in data set is always split in the same way, so that test rows never train. */
  private static final long SPLIT_SEED = 42;

  @Option(
      names = "--text",
      paramLabel = "COL[,COL]",
      split = ",",
      hideParamSyntax = true,
      description = {
        "Column of the text, or two for pairs, by name or by number from 1;",
        "default text, sentence, or sentence1,sentence2; for embed all but the score's."
      })
  private List<String> texts = List.of();

  @Option(
      names = "--label",
      paramLabel = "COL",
      description = {
        "Column of the label, by name or by number from 1; default label. Several labels are",
        "separated by commas, the tags of a text's words by spaces. For embed the score; default label,",
        "labels, score or scores, if there is one."
      })
  private String label;

  /** The query of a database's rows; null: none is given. */
  private String query;

  /** Locations that were looked up: a query is asked once. */
  private final Map<String, Path> files = new HashMap<>();

  void query(String sql) {
    query = sql;
  }

  /**
   * The file of rows that a location stands for: a file, a folder, a pattern, a data set on the
   * hub, or a database.
   */
  Path path(String location) {
    return files.computeIfAbsent(location, this::find);
  }

  private Path find(String location) {
    if (location.equals(SENTIWORDNET) && !Files.exists(Path.of(location))) {
      throw new BadSettingsException(
          "%s has labelled texts, which this task does not read; name its data with --data.",
          location);
    }
    TableFiles tables = TableFiles.ofEnvironment();
    if (location.startsWith(JDBC)) {
      if (query == null) {
        throw new BadSettingsException(
            "%s is a database; give the query for its rows with --query.",
            TableFiles.withoutSecrets(location));
      }
      return tables.query(location, query);
    }
    return HubDataset.isAddress(location)
        ? tables.file(location, HubDataset.of(location).fetch(DownloadProgress.onStandardError()))
        : tables.file(location);
  }

  /** Columns of texts and label. */
  Columns columns() {
    return new Columns(texts, label);
  }

  /** The task of GLUE that {@code rte=FOLDER} names, say; empty for other data. */
  Optional<GlueTask> glue(String data) {
    int end = data.indexOf('=');
    if (end < 0 || Files.exists(Path.of(data))) {
      return Optional.empty();
    }
    Optional<GlueTask> task = GlueTask.named(data.substring(0, end));
    if (task.isEmpty()) {
      throw new BadSettingsException(
          "There is no task %s; write a folder or file as %s=PATH.",
          data.substring(0, end),
          GlueTask.ALL.stream().map(GlueTask::name).collect(Collectors.joining("=PATH, ")));
    }
    if (!texts.isEmpty() || label != null) {
      throw new BadSettingsException(
          "The columns of %s are known; leave --text and --label out.", task.get().name());
    }
    return task;
  }

  private static Path gluePath(String data) {
    return Path.of(data.substring(data.indexOf('=') + 1));
  }

  /** Labelled rows in the layout of the data. */
  List<Example> labelled(String data, String location) {
    return labelled(data, path(location));
  }

  private List<Example> labelled(String data, Path file) {
    return glue(data)
        .map(task -> task.readLabelled(file))
        .orElseGet(() -> TextFiles.read(file, columns(), true));
  }

  /** What a user gave, without the password of a database. */
  static String shown(String given) {
    return given.contains(JDBC) ? TableFiles.withoutSecrets(given) : given;
  }

  /** Texts that belong together, in a file. */
  List<RelatedTexts> related(Path file) {
    return RelatedTexts.read(file, relatedColumns());
  }

  RelatedTexts.TextColumns relatedColumns() {
    return new RelatedTexts.TextColumns(texts, label);
  }

  /** Rows without labels. */
  List<Example> unlabelled(String location) {
    return TextFiles.read(path(location), columns(), false);
  }

  /** Rows to score: of a built-in data set its test part. */
  List<Example> test(String nameOrFile) {
    if (nameOrFile.equals(SENTIWORDNET)) {
      return SentiWordNet.load(SPLIT_SEED).test();
    }
    return glue(nameOrFile)
        .filter(task -> Files.isDirectory(gluePath(nameOrFile)))
        .map(task -> task.scored(gluePath(nameOrFile)))
        .orElseGet(() -> all(nameOrFile));
  }

  /** Whether the data are split into parts already. */
  boolean hasParts(String nameOrFile) {
    return nameOrFile.equals(SENTIWORDNET)
        || (glue(nameOrFile).isPresent() && Files.isDirectory(gluePath(nameOrFile)));
  }

  /** The parts of data that are split already. */
  DataSplit parts(String nameOrFile, long seed) {
    return glue(nameOrFile)
        .map(task -> task.load(gluePath(nameOrFile), seed))
        .orElseGet(() -> SentiWordNet.load(SPLIT_SEED));
  }

  /** All labelled rows of data that are not split. */
  List<Example> all(String nameOrFile) {
    return labelled(nameOrFile, file(nameOrFile));
  }

  /** The values of a column in all rows of {@link #all}. */
  List<String> column(String nameOrFile, String column) {
    Columns single = new Columns(List.of(column), null);
    return TextFiles.read(file(nameOrFile), single, false).stream().map(Example::text).toList();
  }

  private Path file(String nameOrFile) {
    if (glue(nameOrFile).isPresent()) {
      return gluePath(nameOrFile);
    }
    boolean bare = !nameOrFile.matches(".*[.:*?].*");
    if (bare && !Files.exists(Path.of(nameOrFile))) {
      throw new BadSettingsException(
          "There is no file and no data set called %s; the built-in data set is %s, and GLUE's tasks are"
              + " written as rte=FOLDER.",
          nameOrFile, SENTIWORDNET);
    }
    return path(nameOrFile);
  }

  /** 0.1 for "10%" or "0.1", 0 for "none"; null if it is not a number. */
  static Double share(String text) {
    if (text.equalsIgnoreCase("none")) {
      return 0.0;
    }
    if (!text.matches("[0-9]+([.][0-9]+)?%?")) {
      return null;
    }
    double number = Double.parseDouble(text.replace("%", ""));
    double share = text.endsWith("%") ? number / 100 : number;
    if (!(share > 0 && share < 1)) {
      throw new BadSettingsException(
          "A validation share of %s is not between 0%% and 100%%; give a share such as 10%%, or none.",
          text);
    }
    return share;
  }
}

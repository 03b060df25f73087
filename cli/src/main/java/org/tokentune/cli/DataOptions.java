package org.tokentune.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
import picocli.CommandLine.Option;

/** Options for the columns of the data, and the meaning of the data's names. */
final class DataOptions {

  /** The built-in data set. */
  static final String SENTIWORDNET = "sentiwordnet";

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

  /** Labelled rows of a file in the layout of the data. */
  List<Example> labelled(String data, Path file) {
    return glue(data)
        .map(task -> task.readLabelled(file))
        .orElseGet(() -> TextFiles.read(file, columns(), true));
  }

  /** Texts that belong together, in a file. */
  List<RelatedTexts> related(Path file) {
    if (file.toString().equals(SENTIWORDNET) && !Files.exists(file)) {
      throw new BadSettingsException(
          "The task embed needs texts that belong together; name a file of them with --data.");
    }
    return RelatedTexts.read(file, new RelatedTexts.TextColumns(texts, label));
  }

  /** Rows of a file without labels. */
  List<Example> unlabelled(Path file) {
    return TextFiles.read(file, columns(), false);
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
    Path file = Path.of(nameOrFile);
    if (!Files.exists(file) && !nameOrFile.contains(".")) {
      throw new BadSettingsException(
          "There is no file and no data set called %s; the built-in data set is %s, and GLUE's tasks are"
              + " written as rte=FOLDER.",
          nameOrFile, SENTIWORDNET);
    }
    return file;
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

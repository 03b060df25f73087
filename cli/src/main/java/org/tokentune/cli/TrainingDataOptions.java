package org.tokentune.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.GlueTask;
import org.tokentune.datasets.GroupedSplit;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.RelatedTexts;
import org.tokentune.datasets.RowSampling;
import org.tokentune.datasets.Split;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options that say what to train, validate and test on. */
final class TrainingDataOptions {

  @Option(
      names = "--data",
      paramLabel = "NAME|FILE[:WEIGHT]|TASK=DIR",
      defaultValue = DataOptions.SENTIWORDNET,
      description = {
        "A built-in data set; a .csv or .tsv file with a header, a .jsonl, .json or .parquet file, also .gz",
        "or .zst, a folder of these, or a pattern such as 'data/*.parquet'; hf:datasets/owner/name on the",
        "hub; a JDBC address with --query; or a task of GLUE with the folder of its files, such as",
        "rte=glue_data/RTE: cola, sst2, mrpc, qqp, stsb, mnli, mnli-mm, qnli or rte. Several files may be",
        "given, each with --data: a.csv:2 and b.csv:1 give an epoch two thirds of its rows from a.csv,",
        "whatever their sizes; without any weight every row is in it once. Default ${DEFAULT-VALUE}."
      })
  private List<String> data;

  @Option(
      names = "--validation",
      paramLabel = "FILE|SHARE|none",
      description = {
        "Rows to choose the best epoch by; none: the last weights are kept. Default 10%% of the data,",
        "or the data set's own."
      })
  private String validation;

  @Option(
      names = "--test",
      paramLabel = "FILE",
      description =
          "Rows to score the result on; default: the data set's own, or the validation's.")
  private String test;

  @Option(
      names = "--stratify",
      description = {
        "Draw the validation share so that it has its part of the rows of every label, for classify and",
        "multilabel; rows with equal texts stay in one part."
      })
  private boolean stratify;

  @Option(
      names = "--group",
      paramLabel = "COL",
      description = {
        "Column such as a customer or a document: rows with the same value are all in the validation",
        "share or all outside it, and so are rows with equal texts."
      })
  private String group;

  @Mixin private DataOptions rows;

  @Option(
      names = "--stream",
      description = {
        "Read a file's rows as they are trained on, shuffled through a window, for files larger than",
        "memory: labelled texts, texts that belong together (embed), plain text, instructions or",
        "conversations. Tokens are kept in TOKENTUNE_CACHE (default ~/.cache/tokentune). With --steps."
      })
  private boolean stream;

  @Option(
      names = "--labels",
      paramLabel = "LABEL[,LABEL]",
      split = ",",
      hideParamSyntax = true,
      description = {
        "The labels of streamed texts, in the order of the model's outputs; default: the file is read",
        "once for them before the training."
      })
  private List<String> labels = List.of();

  @Option(
      names = "--limit",
      paramLabel = "ROWS",
      description = "Train on this many of the training rows, drawn by the seed.")
  private Integer limit;

  @Option(
      names = "--sample-by-class",
      description = {
        "Give an epoch as many rows of every class, for classify: of frequent classes some of the rows,",
        "of rare ones all of them several times."
      })
  private boolean sampleByClass;

  @Option(
      names = "--folds",
      paramLabel = "N",
      description = {
        "Cross-validate: train N times, each time from the same start and without another Nth of the",
        "rows, which is then scored. Prints mean and standard deviation of the scores, and writes them",
        "to folds.json in the output folder; no model is saved. Goes with --stratify and --group; the",
        "last weights are scored, unless --validation names a file."
      })
  private int folds;

  @Option(
      names = "--query",
      paramLabel = "SQL",
      description = {
        "The query that gives the rows, where the data are a database: a JDBC address such as",
        "jdbc:duckdb:reviews.duckdb, whose driver is on the class path."
      })
  void query(String sql) {
    rows.query(sql);
  }

  /** The folds of a cross-validation; 0 for none. */
  int folds() {
    return folds;
  }

  /** Reports early what would fail later. */
  void check(Task task, int steps) {
    if (limit != null && limit < 1) {
      throw new BadSettingsException("--limit must be at least 1, got %d.", limit);
    }
    checkShare(task.objective());
    checkSampling(task.objective());
    checkStream(task, steps);
    if (stream && validation != null && share() != null && share() > 0) {
      throw new BadSettingsException(
          "A stream cannot give a share of its rows for validation; leave --validation %s out or name a"
              + " file.",
          validation);
    }
  }

  /** Which columns hold texts that belong together. */
  RelatedTexts.TextColumns relatedColumns() {
    return rows.relatedColumns();
  }

  /** Texts that belong together, in a file. */
  List<RelatedTexts> related(Path file) {
    return rows.related(file);
  }

  /** Whether rows of a task are labelled texts, which can be drawn by their labels. */
  private static boolean areExamples(Objective task) {
    return task != Objectives.QUESTION_ANSWERING
        && task != Objectives.EMBED
        && task != Objectives.MASKED_LM
        && !task.isCausal();
  }

  private void checkStream(Task task, int steps) {
    boolean streams =
        task.objective() == Objectives.CAUSAL_LM
            || task.objective() == Objectives.EMBED
            || task.objective() == Objectives.MASKED_LM
            || areExamples(task.objective());
    if (stream && (!streams || steps == 0)) {
      throw new BadSettingsException(
          "--stream needs --steps, and is for labelled texts, embed, mlm, lm, instruct and chat.");
    }
    if (stream && (limit != null || sampleByClass || drawsUnits())) {
      throw new BadSettingsException(
          "A stream does not know its rows beforehand; leave --limit, --sample-by-class, --stratify and"
              + " --group out.");
    }
    if (stream && (glue().isPresent() || hasParts())) {
      throw new BadSettingsException(
          "A stream is of a file; name one with --data, not %s.", name());
    }
    if (!labels.isEmpty() && (!stream || !task.objective().areClasses())) {
      throw new BadSettingsException("--labels are those of classes that are streamed (--stream).");
    }
  }

  /** The labels of streamed texts. */
  Labels streamedLabels(Objective task) {
    return labels.isEmpty()
        ? Labels.ofFile(task, file(), columns())
        : new Labels(task, labels.stream().map(String::strip).toList());
  }

  /** Labelled texts beside a stream; no validation rows if its end is validated on. */
  DataSplit beside() {
    return new DataSplit(
        List.of(),
        validation == null || validatesNothing() ? List.of() : rows.labelled(first(), validation),
        test == null ? List.of() : rows.labelled(first(), test));
  }

  /** Whether the end of a stream is validated on. */
  boolean validatesStream() {
    return validation == null;
  }

  private void checkShare(Objective task) {
    if (stratify && task != Objectives.CLASSIFY && task != Objectives.MULTILABEL) {
      throw new BadSettingsException(
          "--stratify is for the tasks classify and multilabel, not for %s.", task.shortName());
    }
    if (group != null && !areExamples(task)) {
      throw new BadSettingsException(
          "--group is for labelled texts, not for %s.", task.shortName());
    }
    if (folds != 0) {
      checkFolds(task);
    } else if (drawsUnits() && (hasParts() || share() == null || share() == 0)) {
      throw new BadSettingsException(
          "--stratify and --group say how a validation share is drawn, but %s; leave them out.",
          validatesNothing() ? "there is none" : "the validation rows are given");
    }
  }

  private void checkFolds(Objective task) {
    if (folds < 2) {
      throw new BadSettingsException("--folds must be at least 2, got %d.", folds);
    }
    if (!areExamples(task)) {
      throw new BadSettingsException(
          "--folds is for labelled texts, not for %s.", task.shortName());
    }
    if (hasParts()) {
      throw new BadSettingsException(
          "%s has its own parts; leave --folds out, or name a file.", name());
    }
    if (test != null || stream) {
      throw new BadSettingsException(
          "With --folds each fold is scored in turn; leave --test and --stream out.");
    }
    if (share() != null && share() > 0 && validation != null) {
      throw new BadSettingsException(
          "With --folds the rows to validate on are none or those of a file; leave --validation %s out.",
          validation);
    }
  }

  private void checkSampling(Objective task) {
    if (sampleByClass && task != Objectives.CLASSIFY) {
      throw new BadSettingsException(
          "--sample-by-class is for the task classify, not for %s.", task.shortName());
    }
    if (sampleByClass && weighted()) {
      throw new BadSettingsException(
          "Rows are sampled by --sample-by-class or by the weights of the data, not by both; leave one out.");
    }
    if (stream && sources().size() > 1) {
      throw new BadSettingsException("A stream is of one file; give one --data.");
    }
    Set<Path> files = new HashSet<>();
    for (WeightedData source : sources()) {
      if (!files.add(Path.of(source.name()).toAbsolutePath().normalize())) {
        throw new BadSettingsException(
            "%s is given twice; give it once, with a weight if its rows are to be trained on more often.",
            source.name());
      }
    }
    boolean several = sources().size() > 1;
    for (WeightedData source : sources()) {
      if (several && rows.hasParts(source.name())) {
        throw new BadSettingsException(
            "%s has its own parts, and is not mixed with other data; give files, or only this one.",
            source.name());
      }
      if (source.weight() != null && source.weight() == 0) {
        throw new BadSettingsException(
            "The weight of %s must be above 0; leave the file out to train without it.",
            source.name());
      }
    }
  }

  /** Whether the last weights are kept. */
  boolean validatesNothing() {
    return share() != null && (share() == 0 || folds > 0);
  }

  private List<WeightedData> sources() {
    return data.stream().map(WeightedData::parse).toList();
  }

  /** The data set, or the first file. */
  private String first() {
    return sources().get(0).name();
  }

  private boolean hasParts() {
    return rows.hasParts(first());
  }

  /** Whether some data have another weight than by their size. */
  private boolean weighted() {
    return sources().size() > 1 && sources().stream().anyMatch(source -> source.weight() != null);
  }

  /**
   * How rows of several files are mixed; null if each is trained on once in an epoch.
   *
   * @param files the rows of each, among others
   */
  private <R> RowSampling mixed(List<List<R>> files, List<R> train) {
    return weighted()
        ? RowSampling.bySource(
            files,
            sources().stream()
                .map(source -> source.weight() == null ? 1.0 : source.weight())
                .toList(),
            train)
        : null;
  }

  /** Whether rows that belong together are not split. */
  private boolean drawsUnits() {
    return stratify || group != null;
  }

  /** The data as they were named, without passwords of databases. */
  String name() {
    return data.stream().map(DataOptions::shown).collect(Collectors.joining(", "));
  }

  /** The validation rows, for messages. */
  String validationName() {
    return validation == null ? name() : validation;
  }

  /** The test rows, for messages. */
  String testName() {
    return test == null ? name() : test;
  }

  /** The file that is streamed. */
  Path file() {
    return rows.path(first());
  }

  Columns columns() {
    return rows.columns();
  }

  boolean stream() {
    return stream;
  }

  /** The task of GLUE that the data are for; empty for other data. */
  Optional<GlueTask> glue() {
    return rows.glue(first());
  }

  /**
   * Labelled texts; no test rows if neither a file nor the data set has them. If a share is
   * validated on, every label is among the training rows.
   */
  LabelledRows examples(Objective task, long seed) {
    boolean builtIn = hasParts();
    Double share = share();
    if (builtIn && validation != null && share != null && share > 0) {
      throw new BadSettingsException(
          "%s has its own validation part; leave --validation %s out or name a file.",
          name(), validation);
    }
    List<List<Example>> files =
        builtIn ? List.of() : sources().stream().map(each -> rows.all(each.name())).toList();
    DataSplit split =
        builtIn ? rows.parts(first(), seed) : drawn(task, files, share == null ? 0 : share, seed);
    List<Example> validated =
        share == null ? rows.labelled(first(), validation) : split.validation();
    return new LabelledRows(
        new DataSplit(
            split.train(),
            validatesNothing() ? List.of() : validated,
            test == null ? split.test() : rows.labelled(first(), test)),
        files);
  }

  private DataSplit drawn(Objective task, List<List<Example>> files, double share, long seed) {
    List<Example> all = files.stream().flatMap(List::stream).toList();
    return drawsUnits()
        ? new GroupedSplit(task, stratify, groups()).of(all, share, seed)
        : DataSplit.of(all, share, 0, seed).withEveryLabel(task);
  }

  /** The folds of labelled texts: each is tested on once. */
  Folds folds(Objective task, long seed) {
    List<List<Example>> files = sources().stream().map(each -> rows.all(each.name())).toList();
    List<Example> all = files.stream().flatMap(List::stream).toList();
    List<DataSplit> drawn =
        drawsUnits()
            ? new GroupedSplit(task, stratify, groups()).folds(all, folds, seed)
            : DataSplit.folds(all, folds, seed);
    List<Example> validated = validatesNothing() ? List.of() : rows.labelled(first(), validation);
    return new Folds(
        all,
        drawn.stream()
            .map(fold -> limited(new DataSplit(fold.train(), validated, fold.test()), seed))
            .toList(),
        files);
  }

  /**
   * A cross-validation's data.
   *
   * @param rows all of them
   * @param files rows of each file
   */
  record Folds(List<Example> rows, List<DataSplit> splits, List<List<Example>> files) {}

  private List<String> groups() {
    return group == null
        ? null
        : sources().stream().flatMap(each -> rows.column(each.name(), group).stream()).toList();
  }

  /**
   * Labelled texts, and the files that they are from.
   *
   * @param files rows of each; none for a data set
   */
  record LabelledRows(DataSplit split, List<List<Example>> files) {}

  /** The split with as many training rows as --limit says. */
  DataSplit limited(DataSplit split, long seed) {
    return limit == null ? split : split.withTrainLimit(limit, seed);
  }

  /** How the training rows are sampled; null if each is trained on once in an epoch. */
  RowSampling sampling(Labels labels, List<List<Example>> files, List<Example> train) {
    return sampleByClass ? RowSampling.byClass(labels, train) : mixed(files, train);
  }

  /**
   * Rows of files, limited as --limit says.
   *
   * @param read reads all rows of a file
   * @param splitShare reads a training file, and takes a share of it to validate on
   */
  <R> TrainingRows<R> split(
      Function<Path, List<R>> read, BiFunction<Path, Double, Split<R>> splitShare, long seed) {
    Double share = share();
    List<Split<R>> files = new ArrayList<>();
    for (WeightedData source : sources()) {
      Path file = rows.path(source.name());
      files.add(
          share == null || share == 0
              ? new Split<>(read.apply(file), List.of(), List.of())
              : splitShare.apply(file, share));
    }
    List<List<R>> trained = files.stream().map(Split::train).toList();
    Split<R> split =
        new Split<>(
            trained.stream().flatMap(List::stream).toList(),
            share == null
                ? read.apply(rows.path(validation))
                : files.stream().flatMap(file -> file.validation().stream()).toList(),
            test == null ? List.of() : read.apply(rows.path(test)));
    Split<R> some = limit == null ? split : split.withTrainLimit(limit, seed);
    return new TrainingRows<>(some, mixed(trained, some.train()));
  }

  /**
   * Rows to validate and to test on beside those that are streamed.
   *
   * @param read reads all rows of a file
   * @param last the end of the stream, to validate on if no file is named
   */
  <R> Split<R> besideStream(Function<Path, List<R>> read, Supplier<List<R>> last) {
    return new Split<>(
        List.of(),
        validation == null
            ? last.get()
            : validatesNothing() ? List.of() : read.apply(rows.path(validation)),
        test == null ? List.of() : read.apply(rows.path(test)));
  }

  /** The share to validate on, 0 for none; null if a file is named. */
  private Double share() {
    return validation == null ? Double.valueOf(Split.VALIDATION) : DataOptions.share(validation);
  }
}

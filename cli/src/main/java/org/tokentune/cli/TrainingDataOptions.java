package org.tokentune.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.Columns;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.GlueTask;
import org.tokentune.datasets.GroupedSplit;
import org.tokentune.datasets.Split;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options that say what to train, validate and test on. */
final class TrainingDataOptions {

  @Option(
      names = "--data",
      paramLabel = "NAME|FILE|TASK=DIR",
      defaultValue = DataOptions.SENTIWORDNET,
      description = {
        "A built-in data set, a .csv or .tsv file with a header, a .jsonl or .json file; or a task of GLUE",
        "with the folder of its files, such as rte=glue_data/RTE: cola, sst2, mrpc, qqp, stsb, mnli,",
        "mnli-mm, qnli or rte. Default ${DEFAULT-VALUE}."
      })
  private String data;

  @Option(
      names = "--validation",
      paramLabel = "FILE|SHARE",
      description =
          "Rows to choose the best epoch by; default 10%% of the data, or the data set's own.")
  private String validation;

  @Option(
      names = "--test",
      paramLabel = "FILE",
      description =
          "Rows to score the result on; default: the data set's own, or the validation's.")
  private Path test;

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
        "Read plain text or instructions (--task lm or instruct) as they are trained on, shuffled",
        "through a window, for files larger than memory. Tokens are kept in TOKENTUNE_CACHE (default",
        "~/.cache/tokentune). With --steps."
      })
  private boolean stream;

  @Option(
      names = "--limit",
      paramLabel = "ROWS",
      description = "Train on this many of the training rows, drawn by the seed.")
  private Integer limit;

  /** Reports early what would fail later. */
  void check(Task task, int steps) {
    if (limit != null && limit < 1) {
      throw new BadSettingsException("--limit must be at least 1, got %d.", limit);
    }
    checkShare(task.objective());
    if (stream && (task.objective() != Objectives.CAUSAL_LM || steps == 0 || limit != null)) {
      throw new BadSettingsException(
          "--stream is for --task lm or instruct, with --steps and without --limit.");
    }
    if (stream && validation != null && share() != null) {
      throw new BadSettingsException(
          "A stream cannot give a share of its rows for validation; leave --validation %s out or name a"
              + " file.",
          validation);
    }
  }

  private void checkShare(Objective task) {
    if (stratify && task != Objectives.CLASSIFY && task != Objectives.MULTILABEL) {
      throw new BadSettingsException(
          "--stratify is for the tasks classify and multilabel, not for %s.", task.shortName());
    }
    if (group != null && (task == Objectives.QUESTION_ANSWERING || task == Objectives.CAUSAL_LM)) {
      throw new BadSettingsException(
          "--group is for labelled texts, not for %s.", task.shortName());
    }
    if (drawsUnits() && (rows.hasParts(data) || share() == null)) {
      throw new BadSettingsException(
          "--stratify and --group say how a validation share is drawn, but the validation rows are given;"
              + " leave them out.");
    }
  }

  /** Whether rows that belong together are not split. */
  private boolean drawsUnits() {
    return stratify || group != null;
  }

  /** The data as they were named. */
  String name() {
    return data;
  }

  /** The validation rows, for messages. */
  String validationName() {
    return validation == null ? data : validation;
  }

  /** The test rows, for messages. */
  String testName() {
    return test == null ? data : test.toString();
  }

  Path file() {
    return Path.of(data);
  }

  Columns columns() {
    return rows.columns();
  }

  boolean stream() {
    return stream;
  }

  /** The task of GLUE that the data are for; empty for other data. */
  Optional<GlueTask> glue() {
    return rows.glue(data);
  }

  /**
   * Labelled texts; no test rows if neither a file nor the data set has them. If a share is
   * validated on, every label is among the training rows.
   */
  DataSplit examples(Objective task, long seed) {
    boolean builtIn = rows.hasParts(data);
    if (builtIn && validation != null && share() != null) {
      throw new BadSettingsException(
          "%s has its own validation part; leave --validation %s out or name a file.",
          data, validation);
    }
    Double share = share();
    DataSplit split =
        builtIn ? rows.parts(data, seed) : drawn(task, share == null ? 0 : share, seed);
    return new DataSplit(
        split.train(),
        share == null ? rows.labelled(data, Path.of(validation)) : split.validation(),
        test == null ? split.test() : rows.labelled(data, test));
  }

  private DataSplit drawn(Objective task, double share, long seed) {
    List<Example> all = rows.all(data);
    return drawsUnits()
        ? new GroupedSplit(task, stratify, group == null ? null : rows.column(data, group))
            .of(all, share, seed)
        : DataSplit.of(all, share, 0, seed).withEveryLabel(task);
  }

  /** The split with as many training rows as --limit says. */
  DataSplit limited(DataSplit split, long seed) {
    return limit == null ? split : split.withTrainLimit(limit, seed);
  }

  /**
   * Rows of files, limited as --limit says.
   *
   * @param read reads all rows of a file
   * @param splitShare reads the training file, and takes a share of it to validate on
   */
  <R> Split<R> split(
      Function<Path, List<R>> read, Function<Double, Split<R>> splitShare, long seed) {
    Double share = share();
    Split<R> split =
        share == null
            ? new Split<>(read.apply(file()), read.apply(Path.of(validation)), List.of())
            : splitShare.apply(share);
    if (test != null) {
      split = split.withTest(read.apply(test));
    }
    return limit == null ? split : split.withTrainLimit(limit, seed);
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
        validation == null ? last.get() : read.apply(Path.of(validation)),
        test == null ? List.of() : read.apply(test));
  }

  /** The share to validate on; null if a file is named. */
  private Double share() {
    return validation == null ? Double.valueOf(Split.VALIDATION) : DataOptions.share(validation);
  }
}

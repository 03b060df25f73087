package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Objectives;

/**
 * A task of GLUE (Wang et al., 2019) in the layout of its own files: tabs between fields, quotes
 * and backslashes ordinary characters, parts {@code train.tsv}, {@code dev.tsv} and {@code
 * test.tsv}; published test parts have no labels.
 *
 * @param name on the command line
 * @param texts columns of one text or a pair
 * @param label column of the label
 * @param labels classes by number; the files have either their names or their numbers
 * @param metrics the scores that GLUE reports for the task
 * @param suffix of the names of the dev and test parts
 * @param columns of files without a header; empty if all files have one
 * @param skipsBroken whether rows with too few or too many fields are left out, as the published
 *     files have some; otherwise they are rejected
 */
public record GlueTask(
    String name,
    List<String> texts,
    String label,
    Labels labels,
    List<Metric> metrics,
    String suffix,
    List<String> columns,
    boolean skipsBroken) {

  private static final Logger LOG = LoggerFactory.getLogger(GlueTask.class);
  private static final double MOST_SIMILAR = 5;

  /** The label of rows that have none, in test parts as the Hugging Face Hub has them. */
  private static final String NO_LABEL = "-1";

  private static final List<String> SENTENCES = List.of("sentence1", "sentence2");
  private static final Labels ENTAILMENT = classes("entailment", "not_entailment");

  /** All tasks. MultiNLI is listed twice because its two dev parts are scored separately. */
  public static final List<GlueTask> ALL =
      List.of(
          new GlueTask(
              "cola",
              List.of("sentence"),
              "label",
              classes("unacceptable", "acceptable"),
              List.of(Metric.MATTHEWS),
              "",
              List.of("source", "label", "annotation", "sentence"),
              false),
          task("sst2", List.of("sentence"), "label", classes("negative", "positive"), ""),
          new GlueTask(
              "mrpc",
              List.of("#1 String", "#2 String"),
              "Quality",
              classes("not_equivalent", "equivalent"),
              List.of(Metric.ACCURACY, Metric.F1),
              "",
              List.of(),
              false),
          new GlueTask(
              "qqp",
              List.of("question1", "question2"),
              "is_duplicate",
              classes("not_duplicate", "duplicate"),
              List.of(Metric.ACCURACY, Metric.F1),
              "",
              List.of(),
              true),
          new GlueTask(
              "stsb",
              SENTENCES,
              "score",
              new Labels(Objectives.REGRESS, List.of("similarity")),
              List.of(Metric.PEARSON, Metric.SPEARMAN),
              "",
              List.of(),
              false),
          task("mnli", SENTENCES, "gold_label", inference(), "_matched"),
          task("mnli-mm", SENTENCES, "gold_label", inference(), "_mismatched"),
          task("qnli", List.of("question", "sentence"), "label", ENTAILMENT, ""),
          task("rte", SENTENCES, "label", ENTAILMENT, ""));

  public GlueTask {
    required(name, "name");
    required(texts, "texts");
    required(label, "label");
    required(labels, "labels");
    required(metrics, "metrics");
    required(suffix, "suffix");
    required(columns, "columns");

    texts = List.copyOf(texts);
    metrics = List.copyOf(metrics);
    columns = List.copyOf(columns);
  }

  private static GlueTask task(
      String name, List<String> texts, String label, Labels labels, String suffix) {
    return new GlueTask(
        name, texts, label, labels, List.of(Metric.ACCURACY), suffix, List.of(), false);
  }

  private static Labels inference() {
    return classes("entailment", "neutral", "contradiction");
  }

  private static Labels classes(String... names) {
    return new Labels(Objectives.CLASSIFY, List.of(names));
  }

  /** Finds a task by its name, or as GLUE spells it: RTE, SST-2, MNLI-mm. */
  public static Optional<GlueTask> named(String name) {
    required(name, "name");

    String plain = name.toLowerCase(Locale.ROOT);
    return ALL.stream()
        .filter(task -> task.name.equals(plain) || task.name.equals(plain.replace("-", "")))
        .findFirst();
  }

  /**
   * Reads all parts in a folder. Without a dev part, a tenth of the training rows, drawn using the
   * seed, is used for validation. A test part without labels, as GLUE publishes them, is left out.
   *
   * @throws BadInputException if there is no training part, or a part is malformed
   */
  public DataSplit load(Path folder, long seed) {
    required(folder, "folder");

    List<Example> train = readLabelled(folder.resolve("train.tsv"));
    Path dev = folder.resolve("dev" + suffix + ".tsv");
    DataSplit split =
        Files.exists(dev)
            ? new DataSplit(train, readLabelled(dev), List.of())
            : DataSplit.of(train, 0.1, 0, seed);
    return new DataSplit(split.train(), split.validation(), labelledTest(folder));
  }

  /**
   * Reads the rows to score a model on: the test part if it has labels, otherwise the dev part.
   *
   * @throws BadInputException if there is neither, or it is malformed
   */
  public List<Example> scored(Path folder) {
    required(folder, "folder");

    List<Example> test = labelledTest(folder);
    return test.isEmpty() ? readLabelled(folder.resolve("dev" + suffix + ".tsv")) : test;
  }

  private List<Example> labelledTest(Path folder) {
    Path test = folder.resolve("test" + suffix + ".tsv");
    List<Example> rows = Files.exists(test) ? read(test) : List.of();
    return rows.isEmpty() || rows.get(0).label() == null ? List.of() : rows;
  }

  /**
   * Reads a part that has labels.
   *
   * @throws BadInputException as {@link #read}, and if there is no label column
   */
  public List<Example> readLabelled(Path file) {
    required(file, "file");

    List<Example> rows = read(file);
    if (rows.get(0).label() == null) {
      throw new BadDataException(
          "%s has no labels in a column %s; name a labelled part of %s.", file, label, name);
    }
    return rows;
  }

  /**
   * Reads a part, with its labels if it has a label column whose labels are not all -1.
   *
   * @throws BadInputException if it is missing, empty or malformed, belongs to another task, or
   *     only some of its labels are -1
   */
  public List<Example> read(Path file) {
    required(file, "file");

    return TextFile.read(file, in -> read(file, Fields.tabs(in)));
  }

  private List<Example> read(Path file, Iterator<Fields> records) {
    Fields first = next(records);
    List<String> top = first == null ? List.of() : first.values();
    boolean headed = columns.isEmpty() || top.contains(texts.get(0));
    List<String> header = headed ? top : columns;
    if (!header.containsAll(texts) || new HashSet<>(header).size() < header.size()) {
      throw new BadFileException(
          "%s is not a file of %s, whose texts are in the columns %s; its columns are %s.",
          file, name, texts, header);
    }
    List<Example> rows = new ArrayList<>();
    List<Integer> broken = new ArrayList<>();
    Fields begin = headed ? next(records) : first;
    for (Fields record = begin; record != null; record = next(records)) {
      if (skipsBroken && record.values().size() != header.size()) {
        broken.add(record.number());
      } else {
        record.check(header.size(), new Origin(file));
        rows.add(row(header, record, file));
      }
    }
    if (!broken.isEmpty()) {
      LOG.warn("{}: left out {} broken rows, at lines {}.", file, broken.size(), broken);
    }
    if (rows.isEmpty()) {
      throw new BadDataException("%s has no rows; give a file with some.", file);
    }
    long labelled = rows.stream().filter(row -> row.label() != null).count();
    if (labelled > 0 && labelled < rows.size()) {
      throw new BadDataException(
          "%s: %d of %d labels are %s, which stands for none; give these rows labels, or remove"
              + " them.",
          file, rows.size() - labelled, rows.size(), NO_LABEL);
    }
    return rows;
  }

  /** Returns null at the end. */
  private static Fields next(Iterator<Fields> records) {
    return records.hasNext() ? records.next() : null;
  }

  /** The number of a class is replaced by its name. */
  private Example row(List<String> header, Fields record, Path file) {
    List<String> kept =
        texts.stream().map(column -> record.values().get(header.indexOf(column))).toList();
    String pair = kept.size() == 2 ? kept.get(1) : null;
    int column = header.indexOf(label);
    if (column < 0 || record.values().get(column).equals(NO_LABEL)) {
      return new Example(kept.get(0), pair, null);
    }
    String value = labelName(record.values().get(column));
    if (!fits(value)) {
      throw new BadDataException(
          "%s, line %d has the label '%s'; %s has %s.",
          file,
          record.number(),
          value,
          name,
          labels.task() == Objectives.REGRESS ? "numbers from 0 to 5" : labels.names());
    }
    return new Example(kept.get(0), pair, value);
  }

  private String labelName(String value) {
    if (labels.task() == Objectives.CLASSIFY) {
      for (int i = 0; i < labels.outputs(); i++) {
        if (value.equals(Integer.toString(i))) {
          return labels.names().get(i);
        }
      }
    }
    return value;
  }

  private boolean fits(String value) {
    if (labels.task() == Objectives.CLASSIFY) {
      return labels.names().contains(value);
    }
    return value.matches("[0-9]+([.][0-9]+)?") && Double.parseDouble(value) <= MOST_SIMILAR;
  }
}

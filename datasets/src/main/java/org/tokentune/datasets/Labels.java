package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.objectives.EmbeddingLabel;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.select.TokenSelector;

/**
 * Numbers the labels of a data set.
 *
 * @param names of the classes, labels or tags, by number; for regression, a single name
 * @param numbered whether the numbers belong to the labels; otherwise they only follow from
 *     sorting, and a model that numbers the same labels differently keeps its own numbers
 */
public record Labels(Objective task, List<String> names, boolean numbered) {

  private static final int MOST_SHOWN = 10;

  private static final Comparator<String> NUMBERS_AS_NUMBERS =
      Comparator.comparing((String name) -> isWhole(name) ? Long.parseLong(name) : Long.MAX_VALUE)
          .thenComparing(name -> name);

  /** A flag, as in lists with a 1 for each label that applies. */
  private static final Pattern FLAG = Pattern.compile("[01](\\.0)?|true|false");

  private static final Pattern NUMBER = Pattern.compile("[+-]?[0-9]{1,18}([.][0-9]{1,18})?");

  public Labels {
    required(task, "task");
    required(names, "names");

    if (names.isEmpty()) {
      throw BadSettingsException.of("names", "must be at least one, got none.");
    }
    names = List.copyOf(names);
  }

  /** Labels whose numbers are fixed. */
  public Labels(Objective task, List<String> names) {
    this(task, names, true);
  }

  /**
   * Collects the labels in training rows and sorts them (numbers by value).
   *
   * @throws BadInputException if there are fewer than two classes
   */
  public static Labels of(Objective task, List<Example> rows) {
    required(task, "task");
    required(rows, "rows");

    return of(task, rows.iterator());
  }

  /**
   * Collects the labels of a file, of which only the row that is read is held.
   *
   * @throws BadInputException if the file is missing or malformed, or there are fewer than two
   *     classes
   */
  public static Labels ofFile(Objective task, Path file, Columns columns) {
    required(task, "task");
    required(file, "file");
    required(columns, "columns");

    TextFiles.Examples examples = new TextFiles.Examples(columns, true);
    try (RowSource source = RowSource.open(file)) {
      if (source.format().isTable()) {
        examples.header(source.header(), file.toString());
      }
      return of(
          task,
          new Iterator<>() {
            @Override
            public boolean hasNext() {
              return source.hasNext();
            }

            @Override
            public Example next() {
              List<Example> one = new ArrayList<>();
              examples.row(source.next(), one);
              return one.get(0);
            }
          });
    }
  }

  private static Labels of(Objective task, Iterator<Example> rows) {
    if (!task.areClasses()) {
      return new Labels(task, List.of(task == Objectives.RERANK ? "score" : "value"));
    }
    TreeSet<String> found = new TreeSet<>(NUMBERS_AS_NUMBERS);
    while (rows.hasNext()) {
      Example row = rows.next();
      for (String label : split(task, row)) {
        if (label.isBlank()) {
          throw new BadDataException(
              "The row \"%.60s\" has no label; give it one or remove it.", row.text());
        }
        found.add(label);
      }
    }
    int least = task == Objectives.MULTILABEL ? 1 : 2;
    if (found.isEmpty()) {
      throw new BadDataException("There are no rows to train on; give some.");
    }
    if (found.size() < least) {
      throw new BadDataException(
          "The training rows have only '%s' as a label; there must be at least %d labels.",
          found.first(), least);
    }
    warnOfSpellings(found);
    return new Labels(task, List.copyOf(found), false);
  }

  /** Warns of labels that are the same number in two spellings, such as 1 and 1.0. */
  private static void warnOfSpellings(Collection<String> names) {
    Map<Double, String> numbers = new HashMap<>();
    for (String name : names) {
      String other =
          NUMBER.matcher(name).matches() ? numbers.put(Double.valueOf(name), name) : null;
      if (other != null) {
        Warnings.warn(
            "The labels '%s' and '%s' are different classes; if they are the same, write them alike.",
            other, name);
      }
    }
  }

  /**
   * Checks the labels of all rows that are to be scored.
   *
   * @param origin of the rows, for the message
   * @throws BadInputException if the model does not know some of them
   */
  public void check(List<Example> rows, String origin) {
    required(rows, "rows");
    required(origin, "origin");

    if (!task.areClasses()) {
      return;
    }
    Set<String> unknown = new TreeSet<>(NUMBERS_AS_NUMBERS);
    long count = 0;
    for (Example row : rows) {
      List<String> others = new ArrayList<>(split(task, row));
      others.removeAll(names);
      unknown.addAll(others);
      count += others.isEmpty() ? 0 : 1;
    }
    if (!unknown.isEmpty()) {
      throw new BadDataException(
          "%s: %,d of %,d rows have labels that the model does not know: %s; it knows %s. Correct them,"
              + " remove the rows, or train on rows with each label.",
          origin, count, rows.size(), shown(unknown), shown());
    }
  }

  /** The number of outputs that a model needs. */
  public int outputs() {
    return names.size();
  }

  /**
   * Encodes the label of a row: the number of its class; 1 or 0 for every label; the number to
   * predict; or for every token the number of its tag, which is {@value TokenSelector#NO_LABEL} for
   * special tokens and all but the first token of a word.
   *
   * @throws BadInputException if a label is not among the names
   */
  public float[] encode(Example row, TextTokenizer.Tokens tokens) {
    required(row, "row");
    required(tokens, "tokens");

    List<String> parts = split(task, row);
    if (task.equals(Objectives.TOKEN)) {
      return tags(parts, row, tokens.words());
    }
    if (task.areClasses()) {
      return task.encode(parts.stream().mapToInt(part -> number(part, row)).toArray(), outputs());
    }
    if (outputs() > 1) {
      throw new BadDataException(
          "The model gives %d numbers for a text, %s; only one can be trained or scored.",
          outputs(), shown());
    }
    float value = value(parts.get(0), row);
    return task == Objectives.RERANK ? relevance(value, row) : new float[] {value};
  }

  /** A relevance, and which query it is of. */
  private static float[] relevance(float value, Example row) {
    if (row.pair() == null) {
      throw new BadDataException(
          "The row \"%.60s\" has a query but no text to rank; name two columns.", row.text());
    }
    if (!(value >= 0 && value <= 1)) {
      throw new BadDataException(
          "The row \"%.60s\" has the relevance %s; give 1 for relevant, 0 for not, or a number between.",
          row.text(), value);
    }
    float[] query = EmbeddingLabel.halves(EmbeddingLabel.keyOf(row.text()));
    return new float[] {value, query[0], query[1]};
  }

  /**
   * The numbers of a row's labels: of its class, of all labels that apply, or of the tag of every
   * word.
   *
   * @throws BadInputException if a label is not among the names, or there are not as many tags as
   *     words
   */
  public int[] numbers(Example row) {
    required(row, "row");

    List<String> parts = split(task, row);
    if (task == Objectives.TOKEN) {
      checkCount(parts, row);
    }
    return parts.stream().mapToInt(part -> number(part, row)).toArray();
  }

  /**
   * The words of a text for tagging: the list in the data set, or the text split at white space.
   */
  public static List<String> words(Example row) {
    required(row, "row");

    return row.words() == null ? List.of(row.text().strip().split("\\s+", -1)) : row.words();
  }

  private static void checkCount(List<String> tags, Example row) {
    int count = words(row).size();
    if (tags.size() != count) {
      throw new BadDataException(
          "The row \"%.60s\" has %d words but %d tags; give every word one, separated by spaces or"
              + " as JSON lists.",
          row.text(), count, tags.size());
    }
  }

  /** The tag of a word that yields no tokens, such as a blank one, is not trained on. */
  private float[] tags(List<String> tags, Example row, int[] words) {
    checkCount(tags, row);
    float[] labels = new float[words.length];
    int last = -1;
    for (int i = 0; i < words.length; i++) {
      boolean first = words[i] >= 0 && words[i] != last;
      labels[i] = first ? number(tags.get(words[i]), row) : TokenSelector.NO_LABEL;
      last = words[i];
    }
    return labels;
  }

  /** Splits the label of a row into its labels or tags; a class or a number stays whole. */
  static List<String> split(Objective task, Example row) {
    if (row.labels() != null) {
      return listed(task, row);
    }
    String label = row.label() == null ? "" : row.label().strip();
    return task.split(label);
  }

  private static List<String> listed(Objective task, Example row) {
    List<String> labels = row.labels();
    if (task == Objectives.TOKEN) {
      return labels;
    }
    if (task == Objectives.MULTILABEL) {
      boolean twice = labels.stream().distinct().count() < labels.size();
      if (twice && labels.stream().allMatch(label -> FLAG.matcher(label).matches())) {
        throw new BadDataException(
            "The row \"%.60s\" has a flag for every label, %s; list the names of its labels instead.",
            row.text(), labels);
      }
      return labels;
    }
    if (labels.size() > 1) {
      throw new BadDataException(
          "The row \"%.60s\" has %d labels, %s; give it one, or train for multilabel or token.",
          row.text(), labels.size(), labels);
    }
    return labels.isEmpty() ? List.of("") : labels;
  }

  private int number(String label, Example row) {
    int number = names.indexOf(label);
    if (number < 0) {
      throw new BadDataException(
          "The row \"%.60s\" has the label '%s', which is not among the model's: %s.",
          row.text(), label, shown());
    }
    return number;
  }

  /** The names, shortened for messages. */
  public String shown() {
    return shown(names);
  }

  /** Shortens a list of names for messages. */
  public static String shown(Collection<String> names) {
    required(names, "names");

    String first = names.stream().limit(MOST_SHOWN).collect(Collectors.joining(", "));
    return names.size() <= MOST_SHOWN
        ? "[" + first + "]"
        : "[" + first + " and " + (names.size() - MOST_SHOWN) + " more]";
  }

  private static float value(String label, Example row) {
    try {
      float value = Float.parseFloat(label);
      if (Float.isFinite(value)) {
        return value;
      }
    } catch (NumberFormatException e) {
      // reported below
    }
    throw new BadDataException(
        "The row \"%.60s\" has the label '%s', which is not a number; correct it, or use the task classify.",
        row.text(), label);
  }

  private static boolean isWhole(String name) {
    return name.matches("-?[0-9]{1,18}");
  }
}

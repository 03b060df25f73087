package org.tokentune.datasets;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import org.tokentune.BadInputException;
import org.tokentune.models.Task;
import org.tokentune.select.TokenSelector;

/**
 * What a data set's labels mean as numbers.
 *
 * @param names of the classes, labels or tags, by number; of a regression the number's one name
 */
public record Labels(Task task, List<String> names) {

  private static final Comparator<String> NUMBERS_AS_NUMBERS =
      Comparator.comparing((String name) -> isWhole(name) ? Long.parseLong(name) : Long.MAX_VALUE)
          .thenComparing(name -> name);

  public Labels {
    names = List.copyOf(names);
  }

  /**
   * The labels that occur in training rows, in order (numbers by size).
   *
   * @throws BadInputException if there are fewer than two classes
   */
  public static Labels of(Task task, List<Example> rows) {
    if (task == Task.REGRESS) {
      return new Labels(task, List.of("value"));
    }
    TreeSet<String> found = new TreeSet<>(NUMBERS_AS_NUMBERS);
    for (Example row : rows) {
      for (String label : split(task, row)) {
        if (label.isEmpty()) {
          throw new BadInputException(
              "The row \"%.60s\" has no label; give it one or remove it.", row.text());
        }
        found.add(label);
      }
    }
    int least = task == Task.MULTILABEL ? 1 : 2;
    if (found.size() < least) {
      throw new BadInputException(
          "The training rows have only %s for a label; there must be at least %d.",
          found.isEmpty() ? "nothing" : "'" + found.first() + "'", least);
    }
    return new Labels(task, List.copyOf(found));
  }

  /** Outputs a model needs. */
  public int outputs() {
    return names.size();
  }

  /**
   * A row's label as numbers: a class's number; 1 or 0 for every label; the regressed number; for
   * every token its tag's number, {@value TokenSelector#NO_LABEL} for special tokens and all but a
   * word's first.
   *
   * @throws BadInputException for a label that is not among the names
   */
  public float[] encode(Example row, TextTokenizer.Tokens tokens) {
    String[] parts = split(task, row);
    switch (task) {
      case CLASSIFY -> {
        return new float[] {number(parts[0], row)};
      }
      case REGRESS -> {
        return new float[] {value(row)};
      }
      case MULTILABEL -> {
        float[] flags = new float[names.size()];
        for (String part : parts) {
          flags[number(part, row)] = 1;
        }
        return flags;
      }
      default -> {
        return tags(parts, row, tokens.words());
      }
    }
  }

  /** The words of a text whose words have tags. */
  public static String[] words(String text) {
    return text.strip().split("\\s+", -1);
  }

  private float[] tags(String[] tags, Example row, int[] words) {
    int count = words(row.text()).length;
    if (tags.length != count) {
      throw new BadInputException(
          "The row \"%.60s\" has %d words but %d tags; give every word one, separated by spaces.",
          row.text(), count, tags.length);
    }
    float[] labels = new float[words.length];
    int last = -1;
    for (int i = 0; i < words.length; i++) {
      boolean first = words[i] >= 0 && words[i] != last;
      labels[i] = first ? number(tags[words[i]], row) : TokenSelector.NO_LABEL;
      last = words[i];
    }
    return labels;
  }

  private static String[] split(Task task, Example row) {
    String label = row.label() == null ? "" : row.label().strip();
    return switch (task) {
      case MULTILABEL ->
          Arrays.stream(label.split("[,;|]", -1))
              .map(String::strip)
              .filter(part -> !part.isEmpty())
              .toArray(String[]::new);
      case TOKEN -> label.split("[\\s,]+", -1);
      default -> new String[] {label};
    };
  }

  private int number(String label, Example row) {
    int number = names.indexOf(label);
    if (number < 0) {
      throw new BadInputException(
          "The row \"%.60s\" has the label '%s', which is not among the model's: %s.",
          row.text(), label, abridged());
    }
    return number;
  }

  private List<String> abridged() {
    int most = 20;
    if (names.size() <= most) {
      return names;
    }
    List<String> some = new ArrayList<>(names.subList(0, most));
    some.add("... (" + names.size() + ")");
    return some;
  }

  private static float value(Example row) {
    try {
      float value = Float.parseFloat(row.label());
      if (Float.isFinite(value)) {
        return value;
      }
    } catch (NumberFormatException | NullPointerException e) {
      // said below
    }
    throw new BadInputException(
        "The row \"%.60s\" has the label '%s', which is no number; correct it or classify.",
        row.text(), row.label());
  }

  private static boolean isWhole(String name) {
    return name.matches("-?[0-9]{1,18}");
  }
}

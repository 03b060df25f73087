package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tokentune.BadSettingsException;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/**
 * Weights of the classes in the loss, by their labels.
 *
 * @param balanced whether they follow from how often each label occurs
 * @param byLabel the others; a label without one has weight 1
 */
public record ClassWeights(boolean balanced, Map<String, Double> byLabel) {

  /** Rare labels weigh as much as frequent ones, as scikit-learn's {@code "balanced"}. */
  public static final ClassWeights BALANCED = new ClassWeights(true, Map.of());

  private static final Pattern WEIGHT =
      Pattern.compile("\\G(.+?)=([0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]{1,3})?)(,(?!$)|$)");

  public ClassWeights {
    required(byLabel, "byLabel");

    byLabel.forEach(
        (label, weight) -> {
          if (!(weight >= 0) || Double.isInfinite(weight)) {
            throw BadSettingsException.of(
                "byLabel", "must be at least 0 and finite, got %s for %s.", weight, label);
          }
        });
    byLabel = Map.copyOf(byLabel);
  }

  /**
   * Reads {@code balanced} or weights such as {@code good=1,bad=5}.
   *
   * @throws BadSettingsException if it is neither
   */
  public static ClassWeights parse(String text) {
    required(text, "text");

    if (text.equalsIgnoreCase("balanced")) {
      return BALANCED;
    }
    Map<String, Double> weights = new LinkedHashMap<>();
    Matcher part = WEIGHT.matcher(text);
    int end = 0;
    while (part.find()) {
      weights.put(part.group(1).strip(), Double.valueOf(part.group(2)));
      end = part.end();
    }
    if (end < text.length() || weights.isEmpty()) {
      throw new BadSettingsException(
          "The class weights %s are neither balanced nor a list such as good=1,bad=5; correct them.",
          text);
    }
    return new ClassWeights(false, weights);
  }

  /**
   * Checks that a task has classes.
   *
   * @throws BadSettingsException if it has none
   */
  public void check(Objective task) {
    required(task, "task");

    if (!task.areClasses()) {
      throw new BadSettingsException(
          "Class weights are for the tasks classify, multilabel and token, not for %s.",
          task.shortName());
    }
  }

  /**
   * The weights by number of the label. Balanced ones are, of n rows (or tags) with k labels,
   * {@code n / (k * rows with the label)}; for multi-label classification, where they weigh the
   * rows to which a label applies, {@code rows without the label / rows with it}.
   *
   * @param rows to train on
   * @throws BadSettingsException if a label is unknown, or the task has no classes
   */
  public List<Double> of(Labels labels, List<Example> rows) {
    required(labels, "labels");
    required(rows, "rows");

    check(labels.task());
    if (balanced) {
      return balanced(labels, rows);
    }
    Set<String> unknown = new LinkedHashSet<>(byLabel.keySet());
    unknown.removeAll(labels.names());
    if (!unknown.isEmpty()) {
      throw new BadSettingsException(
          "There are class weights for %s, but the labels are %s; correct them.",
          Labels.shown(unknown), labels.shown());
    }
    return labels.names().stream().map(name -> byLabel.getOrDefault(name, 1.0)).toList();
  }

  private static List<Double> balanced(Labels labels, List<Example> rows) {
    Map<String, Long> counts = new LinkedHashMap<>();
    rows.forEach(
        row ->
            Labels.split(labels.task(), row).forEach(label -> counts.merge(label, 1L, Long::sum)));
    boolean several = labels.task() == Objectives.MULTILABEL;
    double all = counts.values().stream().mapToLong(Long::longValue).sum();
    List<Double> weights = new ArrayList<>();
    for (String name : labels.names()) {
      long with = counts.getOrDefault(name, 0L);
      double others = several ? rows.size() - with : all / counts.size();
      weights.add(with == 0 || others == 0 ? 1 : others / with);
    }
    return weights;
  }
}

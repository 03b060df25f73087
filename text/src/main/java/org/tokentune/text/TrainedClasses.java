package org.tokentune.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.tokentune.Warnings;
import org.tokentune.datasets.Labels;

/**
 * What a model's trained classifier tells apart, and which of its outputs a data set's labels are.
 * These are known
 *
 * <ol>
 *   <li>by their names, or names that differ in nothing but case; there may be fewer of them;
 *   <li>by the numbers in their names, where one has transformers' placeholders {@code LABEL_0} and
 *       on, the other {@code 0} and on, as many;
 *   <li>as the outputs of these numbers, where the model has names and the data have numbers or
 *       placeholders, as many;
 *   <li>as the outputs of their own numbers, where a data set defines these and the model has
 *       placeholders, as many.
 * </ol>
 *
 * <p>Otherwise the labels are others, and need another classifier.
 *
 * @param model its name, for messages
 */
record TrainedClasses(Labels labels, String model) {

  /** Of each label the number of the model's output; null where they are others. */
  int[] outputs(Labels data) {
    int[] outputs = byName(data, name -> name);
    if (outputs != null) {
      return outputs;
    }
    outputs = byName(data, name -> name.toLowerCase(Locale.ROOT));
    if (outputs != null) {
      Warnings.note(
          "The data's labels are taken for those of %s, %s: they differ in case only.",
          model, labels.shown());
      return outputs;
    }
    outputs = data.outputs() == labels.outputs() ? byNumber(data) : null;
    if (outputs == null) {
      Warnings.note(
          "%s was trained on the labels %s, and the data have %s: the classifier is made anew%s.",
          model,
          labels.shown(),
          data.shown(),
          arePlaceholders() ? "; to keep it, name its labels in config.json (id2label)" : "");
    }
    return outputs;
  }

  /** Null where not each of them is there, or two are the same. */
  private int[] byName(Labels data, UnaryOperator<String> form) {
    List<String> known = labels.names().stream().map(form).toList();
    int[] outputs =
        data.names().stream().map(form).mapToInt(known::indexOf).filter(i -> i >= 0).toArray();
    boolean same =
        Arrays.stream(outputs).distinct().count() < data.outputs()
            || new HashSet<>(known).size() < known.size();
    return same ? null : outputs;
  }

  private int[] byNumber(Labels data) {
    int[] outputs = byName(data, TrainedClasses::number);
    if (outputs != null) {
      return outputs;
    }
    List<String> numbers = numbers(data.outputs());
    List<String> given = data.names().stream().map(TrainedClasses::number).toList();
    if (new HashSet<>(given).equals(new HashSet<>(numbers))
        && labels.names().stream().noneMatch(name -> name.matches("-?[0-9]+"))) {
      Warnings.note(
          "The data number their labels: 0 to %d are taken for those of %s, %s.",
          data.outputs() - 1, model, labels.shown());
      return given.stream().mapToInt(Integer::parseInt).toArray();
    }
    if (data.numbered() && arePlaceholders()) {
      Warnings.note(
          "%s does not name its labels, LABEL_0 to LABEL_%d: they are taken for %s.",
          model, data.outputs() - 1, data.shown());
      return IntStream.range(0, data.outputs()).toArray();
    }
    return null;
  }

  private boolean arePlaceholders() {
    List<String> numbers = numbers(labels.outputs());
    return labels.names().stream().map(TrainedClasses::number).toList().equals(numbers)
        && !labels.names().equals(numbers);
  }

  private static List<String> numbers(int count) {
    return IntStream.range(0, count).mapToObj(Integer::toString).toList();
  }

  /** The number of a placeholder; of another name the name. */
  private static String number(String name) {
    return name.matches(HeadConfig.PLACEHOLDER + "[0-9]+")
        ? name.substring(HeadConfig.PLACEHOLDER.length())
        : name;
  }

  /**
   * A data set's labels by the model's numbers, and with them those that only the model has.
   *
   * @param outputs of each label the number of the model's output
   */
  Labels renumbered(Labels data, int[] outputs) {
    List<String> names = new ArrayList<>(labels.names());
    for (int i = 0; i < outputs.length; i++) {
      names.set(outputs[i], data.names().get(i));
    }
    if (outputs.length < names.size()) {
      List<String> others = new ArrayList<>(names);
      others.removeAll(data.names());
      Warnings.note(
          "%s also knows the labels %s, which the data do not have; it keeps them.",
          model, Labels.shown(others));
    }
    return new Labels(data.task(), names);
  }
}

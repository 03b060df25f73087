package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.objectives.Objectives;

/**
 * Which rows an epoch has, if not each of them once. The rows are in parts, such as files or
 * classes. An epoch has as many rows as there are, of which each part has a share by its weight:
 * every row of a part as often as goes into that share, and for the rest some rows once more, drawn
 * for each epoch without replacement. So of a part with a smaller share than its size, an epoch has
 * only some of the rows.
 *
 * @param parts of the rows: numbers of their parts
 * @param weights of the parts, above 0
 */
public record RowSampling(List<Integer> parts, List<Double> weights) {

  public RowSampling {
    required(parts, "parts");
    required(weights, "weights");

    parts = List.copyOf(parts);
    weights = List.copyOf(weights);
    for (double weight : weights) {
      if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
        throw BadSettingsException.of("weights", "must be above 0, got %s.", weight);
      }
    }
    Set<Integer> there = new HashSet<>(parts);
    for (int part = 0; part < weights.size(); part++) {
      if (!there.contains(part)) {
        throw new BadDataException(
            "There are no training rows of part %d of %d to sample; give some, or leave the part out.",
            part + 1, weights.size());
      }
    }
  }

  /**
   * Every class as often as the others, as with PyTorch's {@code WeightedRandomSampler} and weights
   * of one divided by the rows of the class.
   *
   * @param labels of {@link Objectives#CLASSIFY}
   * @param train the rows to train on
   * @throws BadInputException for another task
   */
  public static RowSampling byClass(Labels labels, List<Example> train) {
    required(labels, "labels");
    required(train, "train");

    if (labels.task() != Objectives.CLASSIFY) {
      throw new BadSettingsException(
          "Sampling by class is for the task classify, not for %s.", labels.task().shortName());
    }
    Map<String, Integer> numbers = new LinkedHashMap<>();
    List<Integer> parts = new ArrayList<>();
    for (Example row : train) {
      String label = Labels.split(labels.task(), row).get(0);
      numbers.putIfAbsent(label, numbers.size());
      parts.add(numbers.get(label));
    }
    return new RowSampling(parts, Collections.nCopies(numbers.size(), 1.0));
  }

  /**
   * Several sources, such as files, with a weight for each.
   *
   * @param sources the rows of each, among others
   * @param weights of the sources
   * @param train the rows to train on, the same objects as in the sources
   * @throws BadInputException if none of the training rows is from one of them
   */
  public static <R> RowSampling bySource(
      List<? extends List<R>> sources, List<Double> weights, List<R> train) {
    required(sources, "sources");
    required(weights, "weights");
    required(train, "train");

    if (sources.size() != weights.size()) {
      throw new BadSettingsException(
          "There are %d sources but %d weights; give one for each.",
          sources.size(), weights.size());
    }
    IdentityHashMap<R, Integer> numbers = new IdentityHashMap<>();
    for (int i = 0; i < sources.size(); i++) {
      int source = i;
      sources.get(i).forEach(row -> numbers.put(row, source));
    }
    if (!train.stream().allMatch(numbers::containsKey)) {
      throw new BadDataException("Some training rows are from none of the sources; add theirs.");
    }
    return new RowSampling(train.stream().map(numbers::get).toList(), weights);
  }

  /**
   * The same for rows of which each became several, such as windows.
   *
   * @param counts how many, for each row
   */
  public RowSampling repeated(List<Integer> counts) {
    required(counts, "counts");

    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      all.addAll(Collections.nCopies(counts.get(i), parts.get(i)));
    }
    return new RowSampling(all, weights);
  }

  /** The numbers of rows that an epoch has of each part. */
  public int[] counts() {
    double all = weights.stream().mapToDouble(Double::doubleValue).sum();
    double[] shares = weights.stream().mapToDouble(w -> parts.size() * w / all).toArray();
    int[] counts = Arrays.stream(shares).mapToInt(share -> (int) Math.floor(share)).toArray();
    int left = parts.size() - Arrays.stream(counts).sum();
    IntStream.range(0, counts.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> counts[i] - shares[i])) // largest remainders
        .limit(left)
        .forEach(i -> counts[i]++);
    return counts;
  }

  /**
   * The numbers of an epoch's rows, in their order.
   *
   * @param sampling of these rows; null: each of them once
   * @throws BadInputException if it is of other rows
   */
  static List<Integer> numbers(RowSampling sampling, int rows, Random random) {
    if (sampling == null) {
      return new ArrayList<>(IntStream.range(0, rows).boxed().toList());
    }
    if (sampling.parts.size() != rows) {
      throw new BadDataException(
          "The sampling is of %,d rows, but there are %,d training rows; give one of these.",
          sampling.parts.size(), rows);
    }
    return sampling.draw(random);
  }

  /** The numbers of an epoch's rows. */
  List<Integer> draw(Random random) {
    int[] counts = counts();
    List<List<Integer>> rows = new ArrayList<>();
    weights.forEach(weight -> rows.add(new ArrayList<>()));
    for (int row = 0; row < parts.size(); row++) {
      rows.get(parts.get(row)).add(row);
    }
    List<Integer> drawn = new ArrayList<>();
    for (int part = 0; part < counts.length; part++) {
      List<Integer> own = rows.get(part);
      for (int pass = 0; pass < counts[part] / own.size(); pass++) {
        drawn.addAll(own);
      }
      Collections.shuffle(own, random);
      drawn.addAll(own.subList(0, counts[part] % own.size()));
    }
    return drawn;
  }
}

package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.objectives.Objectives;

/**
 * What a classifier, or a tagger, gets right and wrong, as a page. A decision is that on a text, on
 * a word, or on all labels of a text.
 */
final class EvaluationPage {

  private static final int MOST_ROWS = 50;
  private static final int MOST_DECISIONS = 8;
  private static final int MOST_CHARACTERS = 2000;
  private static final int MOST_CURVES = 8;

  /** Larger matrices become lists of their largest entries. */
  private static final int MOST_CLASSES = 40;

  private static final int MOST_CONFUSED = 40;

  /** So that the loss of a probability of 0 is a number. */
  private static final double LEAST_PROBABILITY = 1e-12;

  /**
   * A decision.
   *
   * @param row its number
   * @param word that it is about; null for a whole text
   * @param probabilities of the labels
   * @param actual whether each label applies
   * @param predicted whether each label is predicted
   */
  private record Decision(
      int row, String word, double[] probabilities, boolean[] actual, boolean[] predicted) {

    boolean right() {
      return Arrays.equals(actual, predicted);
    }

    int only(boolean[] flags) {
      return IntStream.range(0, flags.length).filter(i -> flags[i]).findFirst().orElseThrow();
    }
  }

  private final Labels labels;
  private final List<Example> rows;
  private final boolean several;
  private final List<Decision> decisions = new ArrayList<>();

  /**
   * @param probabilities of the rows' labels, as {@link org.tokentune.text.TextModel#probabilities}
   *     gives them
   */
  EvaluationPage(Labels labels, List<Example> rows, List<double[][]> probabilities) {
    this.labels = labels;
    this.rows = rows;
    several = labels.task() == Objectives.MULTILABEL;
    boolean words = labels.task() == Objectives.TOKEN;
    for (int row = 0; row < rows.size(); row++) {
      int[] numbers = labels.numbers(rows.get(row));
      double[][] all = probabilities.get(row);
      for (int i = 0; i < all.length; i++) {
        if (all[i] != null) { // a word that was cut off has none
          int[] actual = words ? new int[] {numbers[i]} : numbers;
          String word = words ? Labels.words(rows.get(row)).get(i) : null;
          decisions.add(new Decision(row, word, all[i], flags(actual), flags(predicted(all[i]))));
        }
      }
    }
  }

  private int[] predicted(double[] probabilities) {
    return several
        ? labels.task().chosen(probabilities)
        : Objectives.CLASSIFY.chosen(probabilities); // a tag, too, is one class of n
  }

  private boolean[] flags(int... numbers) {
    boolean[] flags = new boolean[labels.outputs()];
    for (int number : numbers) {
      flags[number] = true;
    }
    return flags;
  }

  /**
   * The page.
   *
   * @param summary its scores, in a line
   */
  String html(String title, String summary) {
    ObjectNode data = JsonOption.object().put("summary", summary);
    data.put("unit", labels.task() == Objectives.TOKEN ? "words" : "rows").put("rows", rows.size());
    putLabels(data.putArray("labels"));
    if (!several) {
      putConfusion(data);
    }
    putCalibration(data.putObject("calibration"));
    putWrong(data);
    return HtmlPage.of("evaluation.html", "Evaluation: " + title, data);
  }

  private void putLabels(ArrayNode all) {
    List<Integer> drawn =
        IntStream.range(0, labels.outputs())
            .boxed()
            .sorted(Comparator.comparingLong(label -> -count(label, true, false)))
            .limit(MOST_CURVES)
            .toList();
    for (int i = 0; i < labels.outputs(); i++) {
      int label = i;
      long actual = count(label, true, false);
      long predicted = count(label, false, true);
      long right = count(label, true, true);
      boolean[] flags = new boolean[decisions.size()];
      for (int d = 0; d < flags.length; d++) {
        flags[d] = decisions.get(d).actual()[label];
      }
      PrecisionRecall curve =
          PrecisionRecall.of(
              decisions.stream().mapToDouble(one -> one.probabilities()[label]).toArray(), flags);
      ObjectNode node = all.addObject().put("name", labels.names().get(label));
      node.put("actual", actual).put("predicted", predicted).put("right", right);
      put(node, "precision", right / (double) predicted);
      put(node, "recall", right / (double) actual);
      put(node, "f1", 2.0 * right / (actual + predicted));
      put(node, "average_precision", curve.average());
      ArrayNode points = node.putArray("curve");
      if (drawn.contains(label)) {
        curve
            .points()
            .forEach(p -> points.addArray().add(p.recall()).add(p.precision()).add(p.threshold()));
      }
    }
  }

  private static void put(ObjectNode node, String name, double value) {
    node.put(name, Double.isNaN(value) ? null : Double.valueOf(value));
  }

  /** Decisions in which a label applies, or is predicted, or both. */
  private long count(int label, boolean actual, boolean predicted) {
    return decisions.stream()
        .filter(one -> !actual || one.actual()[label])
        .filter(one -> !predicted || one.predicted()[label])
        .count();
  }

  private void putConfusion(ObjectNode data) {
    int outputs = labels.outputs();
    long[][] counts = new long[outputs][outputs];
    decisions.forEach(one -> counts[one.only(one.actual())][one.only(one.predicted())]++);
    if (outputs <= MOST_CLASSES) {
      ArrayNode matrix = data.putArray("confusion");
      for (long[] line : counts) {
        Arrays.stream(line).forEach(matrix.addArray()::add);
      }
      return;
    }
    ArrayNode confused = data.putArray("confused");
    IntStream.range(0, outputs * outputs)
        .boxed()
        .filter(i -> i / outputs != i % outputs && counts[i / outputs][i % outputs] > 0)
        .sorted(Comparator.comparingLong(i -> -counts[i / outputs][i % outputs]))
        .limit(MOST_CONFUSED)
        .forEach(
            i ->
                confused
                    .addArray()
                    .add(i / outputs)
                    .add(i % outputs)
                    .add(counts[i / outputs][i % outputs]));
  }

  private void putCalibration(ObjectNode node) {
    Calibration calibration = new Calibration();
    for (Decision one : decisions) {
      if (several) {
        for (int label = 0; label < labels.outputs(); label++) {
          calibration.add(one.probabilities()[label], one.actual()[label]);
        }
      } else {
        calibration.add(one.probabilities()[one.only(one.predicted())], one.right());
      }
    }
    node.put(
        "what",
        several
            ? "Of all labels of all rows with a probability, how many apply."
            : "Of all decisions with a probability of what is predicted, how many are right.");
    node.put("x", several ? "probability of a label" : "probability of the predicted label");
    node.put("y", several ? "share that applies" : "share that is right");
    node.put("unit", several ? "labels of rows" : "decisions");
    node.put("ece", calibration.expectedError()).put("largest", calibration.largestError());
    node.put("count", calibration.count());
    ArrayNode bins = node.putArray("bins");
    calibration
        .bins()
        .forEach(
            bin ->
                bins.addObject()
                    .put("count", bin.count())
                    .put("confidence", bin.probability())
                    .put("share", bin.share()));
  }

  /** A row and its decisions that are wrong. */
  private record Wrong(int row, double loss, List<String> decisions) {}

  private void putWrong(ObjectNode data) {
    List<Wrong> wrong = new ArrayList<>();
    for (int next = 0; next < decisions.size(); ) {
      int row = decisions.get(next).row();
      double loss = 0;
      List<String> lines = new ArrayList<>();
      for (; next < decisions.size() && decisions.get(next).row() == row; next++) {
        Decision one = decisions.get(next);
        if (!one.right()) {
          loss += loss(one);
          lines(one).forEach(lines::add);
        }
      }
      if (!lines.isEmpty()) {
        wrong.add(new Wrong(row, loss, lines));
      }
    }
    data.put("wrong_rows", wrong.size());
    ArrayNode shown = data.putArray("wrong");
    wrong.stream()
        .sorted(Comparator.comparingDouble((Wrong one) -> -one.loss()))
        .limit(MOST_ROWS)
        .forEach(
            one -> {
              ObjectNode node = shown.addObject().put("loss", one.loss());
              ArrayNode lines = node.putArray("decisions");
              one.decisions().stream().limit(MOST_DECISIONS).forEach(lines::add);
              if (one.decisions().size() > MOST_DECISIONS) {
                lines.add("and " + (one.decisions().size() - MOST_DECISIONS) + " more");
              }
              Example row = rows.get(one.row());
              String text = row.pair() == null ? row.text() : row.text() + "\n\n" + row.pair();
              node.put("text", cut(text));
            });
  }

  /** Cross entropy: of one class of n, or summed over labels of which several may apply. */
  private double loss(Decision one) {
    double loss = 0;
    for (int label = 0; label < labels.outputs(); label++) {
      double probability = one.probabilities()[label];
      if (one.actual()[label]) {
        loss -= Math.log(Math.max(LEAST_PROBABILITY, probability));
      } else if (several) {
        loss -= Math.log(Math.max(LEAST_PROBABILITY, 1 - probability));
      }
    }
    return loss;
  }

  private Stream<String> lines(Decision one) {
    if (several) {
      return IntStream.range(0, labels.outputs())
          .filter(label -> one.actual()[label] != one.predicted()[label])
          .mapToObj(
              label ->
                  String.format(
                      Locale.ROOT,
                      one.actual()[label] ? "%s applies (%.3f)" : "%s does not apply (%.3f)",
                      labels.names().get(label),
                      one.probabilities()[label]));
    }
    int actual = one.only(one.actual());
    int predicted = one.only(one.predicted());
    return Stream.of(
        String.format(
            Locale.ROOT,
            "%s%s (%.3f), predicted %s (%.3f)",
            one.word() == null ? "" : one.word() + ": ",
            labels.names().get(actual),
            one.probabilities()[actual],
            labels.names().get(predicted),
            one.probabilities()[predicted]));
  }

  private static String cut(String text) {
    return text.codePointCount(0, text.length()) <= MOST_CHARACTERS
        ? text
        : text.substring(0, text.offsetByCodePoints(0, MOST_CHARACTERS)) + " ...";
  }
}

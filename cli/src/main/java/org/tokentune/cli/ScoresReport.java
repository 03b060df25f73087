package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.tokentune.Printable;
import org.tokentune.datasets.GlueTask;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Scores;

/** Scores for people and for programs. */
final class ScoresReport {

  /** Larger matrices are unreadable when printed; the JSON has them. */
  private static final int MOST_PRINTED_CLASSES = 12;

  private ScoresReport() {}

  /** Of retrieval a few of its many; the JSON has all. */
  private static boolean isShown(Metric metric) {
    return !metric.name().matches("PRECISION_AT.*|ACCURACY_AT_(5|10)|RECALL_AT_(1|5)");
  }

  /** One line of the scores that the task has. */
  static String line(Scores scores) {
    if (scores.task().hasPerplexity()) {
      return String.format(
          Locale.ROOT, "perplexity %.3f, loss %.4f", scores.perplexity(), scores.loss());
    }
    String metrics =
        line(scores, scores.metrics().keySet().stream().filter(ScoresReport::isShown).toList());
    if (Double.isNaN(scores.loss())) {
      return metrics;
    }
    return (metrics.isEmpty() ? "" : metrics + ", ")
        + String.format(Locale.ROOT, "loss %.4f", scores.loss());
  }

  /** Some of the metrics. */
  private static String line(Scores scores, Collection<Metric> metrics) {
    return metrics.stream()
        .map(metric -> part(metric, scores.get(metric)))
        .collect(Collectors.joining(", "));
  }

  /** Prints the scores that GLUE uses for a task. */
  static void printGlue(PrintWriter out, GlueTask task, Scores scores) {
    out.printf(Locale.ROOT, "GLUE scores %s by %s.%n", task.name(), line(scores, task.metrics()));
  }

  /** One of the metrics. */
  static String part(Metric metric, double value) {
    return metric.isShare()
        ? String.format(Locale.ROOT, "%s %.1f%%", metric.title(), 100 * value)
        : String.format(Locale.ROOT, "%s %.4f", metric.title(), value);
  }

  /** The line and, for not too many classes, the confusion matrix. */
  static void print(PrintWriter out, String rows, Scores scores, List<String> labels) {
    List<String> names = labels.stream().map(Printable::line).toList();
    String of = scores.task().hasPerplexity() ? "tokens" : "rows";
    out.printf(Locale.ROOT, "%s: %s (%,d %s)%n", rows, line(scores), scores.rows(), of);
    long[][] confusion = scores.confusion();
    if (confusion.length == 0 || confusion.length > MOST_PRINTED_CLASSES) {
      return;
    }
    int width = Math.max(8, names.stream().mapToInt(String::length).max().orElse(0)) + 2;
    String cell = "%" + width + "s";
    out.println("Confusion matrix, a line for each actual class, a column for each predicted one:");
    out.printf(Locale.ROOT, cell, "");
    names.forEach(name -> out.printf(Locale.ROOT, cell, name));
    out.println();
    for (int actual = 0; actual < confusion.length; actual++) {
      out.printf(Locale.ROOT, cell, names.get(actual));
      for (long count : confusion[actual]) {
        out.printf(Locale.ROOT, cell, count);
      }
      out.println();
    }
  }

  /** The name of a score in results. */
  static String field(Metric metric) {
    return metric.name().toLowerCase(Locale.ROOT);
  }

  /** Adds the scores that the task has to a result. */
  static void put(ObjectNode result, Scores scores, List<String> names) {
    result.put("rows", scores.rows());
    put(result, "loss", scores.loss());
    if (scores.task().hasPerplexity()) {
      result.put("perplexity", scores.perplexity());
      return;
    }
    scores.metrics().forEach((metric, value) -> put(result, field(metric), value));
    if (!scores.task().areClasses()) {
      return;
    }
    names.forEach(result.putArray("labels")::add);
    if (scores.confusion().length > 0) {
      ArrayNode matrix = result.putArray("confusion");
      for (long[] row : scores.confusion()) {
        ArrayNode counts = matrix.addArray();
        for (long count : row) {
          counts.add(count);
        }
      }
    }
  }

  private static void put(ObjectNode result, String field, double value) {
    result.put(field, Double.isNaN(value) ? null : Double.valueOf(value));
  }
}

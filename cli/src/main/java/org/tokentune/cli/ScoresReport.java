package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import org.tokentune.models.Task;
import org.tokentune.train.Scores;

/** Scores for people and for programs. */
final class ScoresReport {

  /** Of larger matrices nobody reads the print; the JSON has them. */
  private static final int MOST_PRINTED_CLASSES = 12;

  private ScoresReport() {}

  /** One line of the scores that the task has. */
  static String line(Scores scores) {
    if (scores.task() == Task.CAUSAL_LM) {
      return String.format(
          Locale.ROOT, "perplexity %.3f, loss %.4f", scores.perplexity(), scores.loss());
    }
    return scores.task() == Task.REGRESS
        ? String.format(
            Locale.ROOT,
            "mean squared error %.4f, correlation %.4f",
            scores.meanSquaredError(),
            scores.correlation())
        : String.format(
            Locale.ROOT,
            "accuracy %.1f%%, macro F1 %.1f%%, loss %.4f",
            100 * scores.accuracy(),
            100 * scores.macroF1(),
            scores.loss());
  }

  /** The line and, for not too many classes, the confusion matrix. */
  static void print(PrintWriter out, String rows, Scores scores, List<String> names) {
    String of = scores.task() == Task.CAUSAL_LM ? "tokens" : "rows";
    out.printf("%s: %s (%,d %s)%n", rows, line(scores), scores.rows(), of);
    long[][] confusion = scores.confusion();
    if (confusion.length == 0 || confusion.length > MOST_PRINTED_CLASSES) {
      return;
    }
    int width = Math.max(8, names.stream().mapToInt(String::length).max().orElse(0)) + 2;
    String cell = "%" + width + "s";
    out.println("Confusion matrix, a line for each actual class, a column for each predicted one:");
    out.printf(cell, "");
    names.forEach(name -> out.printf(cell, name));
    out.println();
    for (int actual = 0; actual < confusion.length; actual++) {
      out.printf(cell, names.get(actual));
      for (long count : confusion[actual]) {
        out.printf(cell, count);
      }
      out.println();
    }
  }

  /** Adds the scores to a result; what the task has not is left out. */
  static void put(ObjectNode result, Scores scores, List<String> names) {
    result.put("rows", scores.rows());
    result.put("loss", scores.loss());
    if (scores.task() == Task.CAUSAL_LM) {
      result.put("perplexity", scores.perplexity());
      return;
    }
    if (scores.task() == Task.REGRESS) {
      result.put("mean_squared_error", scores.meanSquaredError());
      result.put("correlation", scores.correlation());
      return;
    }
    result.put("accuracy", scores.accuracy());
    result.put("macro_f1", scores.macroF1());
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
}

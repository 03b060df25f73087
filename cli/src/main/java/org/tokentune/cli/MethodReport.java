package org.tokentune.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Compares trained methods: as a table, as a page in Markdown, and as pictures.
 *
 * @param title of the page
 * @param setup what the trainings have in common
 * @param runs the trainings
 */
record MethodReport(String title, ObjectNode setup, List<MethodRun> runs) {

  /** The page, in the folder of the result. */
  static final String PAGE = "report.md";

  /** Prints the tables. */
  void print(PrintWriter out) {
    MethodScores.byTask(runs)
        .forEach(
            (task, methods) -> {
              MethodScores most = most(methods);
              out.printf(Locale.ROOT, "%n%s%n", task);
              out.printf(
                  Locale.ROOT,
                  "%-18s %16s %10s %8s %9s %8s %6s%n",
                  "method",
                  most.metric().title(),
                  "MB",
                  "of most",
                  "seconds",
                  "of most",
                  "seeds");
              for (MethodScores one : methods) {
                out.printf(
                    Locale.ROOT,
                    "%-18s %16s %10.1f %7.0f%% %9.0f %7.0f%% %6d%n",
                    one.method(),
                    one.shown(),
                    one.megabytes(),
                    percent(one.megabytes(), most.megabytes()),
                    one.seconds(),
                    percent(one.seconds(), most.seconds()),
                    one.seeds());
              }
            });
    runs.stream()
        .filter(run -> !run.ended())
        .forEach(
            run ->
                out.printf(
                    Locale.ROOT,
                    "%s, %s, seed %d failed: %s%n",
                    run.task(),
                    run.method(),
                    run.seed(),
                    run.message()));
    out.flush();
  }

  /** The method that takes the most memory: full fine-tuning, where it is among them. */
  private static MethodScores most(List<MethodScores> methods) {
    MethodScores most = methods.get(0);
    for (MethodScores one : methods) {
      most = one.megabytes() > most.megabytes() ? one : most;
    }
    return most;
  }

  private static double percent(double part, double whole) {
    return whole > 0 ? 100 * part / whole : 0;
  }

  /** Writes {@value #PAGE} and a picture for each task. */
  void write(Path folder) {
    StringBuilder page = new StringBuilder("# ").append(title).append("\n\n");
    page.append("What all trainings have in common:\n\n```json\n");
    page.append(setup.toPrettyString()).append("\n```\n");
    MethodScores.byTask(runs)
        .forEach(
            (task, methods) -> {
              String picture = task + ".png";
              String metric = methods.get(0).metric().title();
              String chartTitle = setup.path("model").asText() + " on " + task;
              new OutputFile(folder.resolve(picture))
                  .write(ComparisonChart.scores(chartTitle, metric, methods)::write);
              page.append(table(task, metric, methods));
              page.append("\n![").append(metric).append(" over memory](");
              page.append(picture).append(")\n");
            });
    page.append("\nScores are means over the seeds with their standard errors. Memory is that of");
    page.append(" the largest step of a training, with weights, gradients and optimizer state.\n");
    new OutputFile(folder.resolve(PAGE)).write(out -> out.write(page.toString().getBytes(UTF_8)));
  }

  private static String table(String task, String metric, List<MethodScores> methods) {
    StringBuilder table = new StringBuilder("\n## ").append(task).append("\n\n| method | ");
    table.append(metric).append(" | MB | seconds | seeds |\n|---|---|---|---|---|\n");
    for (MethodScores one : methods) {
      table.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %.1f | %.0f | %d |\n",
              one.method(),
              one.shown(),
              one.megabytes(),
              one.seconds(),
              one.seeds()));
    }
    return table.toString();
  }
}

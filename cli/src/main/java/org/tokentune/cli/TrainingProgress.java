package org.tokentune.cli;

import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.tokentune.objectives.Metric;
import org.tokentune.train.EvaluationResult;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.StepReport;

/** A progress bar on a terminal, lines elsewhere. */
final class TrainingProgress implements FineTuningListener, AutoCloseable {

  private static final int LINES = 20;

  /** Steps before any time left is printed: the first ones are slower, while the JVM warms up. */
  private static final int LEAST = 10;

  /** Steps whose median is the time of those that are left. */
  private static final int RECENT = 50;

  private final PrintWriter out;
  private final boolean perplexity;

  // From JDK 22 on this means a terminal only with -Djdk.console=java.base, which ./tokentune
  // gives.
  @SuppressWarnings("SystemConsoleNull")
  private final boolean terminal = System.console() != null;

  private final LongSupplier clock;
  private final long start;

  /** Seconds of the last steps, the oldest first. */
  private final Deque<Double> recent = new ArrayDeque<>();

  private ProgressBar bar;
  private int before;
  private long tokens;
  private double smoothLoss = Double.NaN;
  private final Map<Metric, Double> smoothMetrics = new EnumMap<>(Metric.class);

  /**
   * @param perplexity whether the loss is a language model's
   */
  TrainingProgress(PrintWriter out, boolean perplexity) {
    this(out, perplexity, System::nanoTime);
  }

  /**
   * @param clock in nanoseconds
   */
  TrainingProgress(PrintWriter out, boolean perplexity, LongSupplier clock) {
    this.out = out;
    this.perplexity = perplexity;
    this.clock = clock;
    start = clock.getAsLong();
  }

  @Override
  public void onResume(int step) {
    before = step;
    out.printf(Locale.ROOT, "Goes on after step %d.%n", step);
  }

  @Override
  public void onStep(StepReport report) {
    int step = report.step();
    int steps = report.steps();
    tokens += report.tokens();
    recent.addLast(report.seconds());
    if (recent.size() > RECENT) {
      recent.removeFirst();
    }
    if (report.broken().isEmpty()) {
      smoothLoss = Double.isNaN(smoothLoss) ? report.loss() : smooth(smoothLoss, report.loss());
      report
          .metrics()
          .forEach((metric, value) -> smoothMetrics.merge(metric, value, TrainingProgress::smooth));
    } else {
      out.printf(
          Locale.ROOT,
          "Step %d is not applied: its loss is %s, or its gradients are not finite; its rows are in the log.%n",
          step,
          report.loss());
    }
    if (terminal) {
      if (bar == null) {
        bar =
            new ProgressBarBuilder()
                .setTaskName("Training")
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.ASCII)
                .hideEta() // it counts the first steps, and those before a resumed run
                .build();
      }
      bar.setExtraMessage(state() + left(step, steps));
      bar.stepTo(step);
    } else if (step == before + 1 || step % Math.max(1, steps / LINES) == 0) {
      out.printf(Locale.ROOT, "Step %d of %d: %s%s%n", step, steps, state(), left(step, steps));
      out.flush();
    }
  }

  private static double smooth(double before, double now) {
    return 0.9 * before + 0.1 * now;
  }

  /** The time left, by the median of the recent steps; empty before there are enough of them. */
  private String left(int step, int steps) {
    if (step - before < LEAST) {
      return "";
    }
    double[] sorted = recent.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return ", " + duration(sorted[sorted.length / 2] * (steps - step)) + " left";
  }

  private String state() {
    return String.format(
        Locale.ROOT,
        "loss %.3f%s%s, %,.0f tokens/s",
        smoothLoss,
        perplexity ? String.format(Locale.ROOT, " (perplexity %.2f)", Math.exp(smoothLoss)) : "",
        smoothMetrics.entrySet().stream()
            .map(entry -> ", " + ScoresReport.part(entry.getKey(), entry.getValue()))
            .collect(Collectors.joining()),
        tokens / seconds());
  }

  @Override
  public void onEvaluation(EvaluationResult evaluation) {
    if (terminal) {
      out.println();
    }
    out.printf(
        Locale.ROOT,
        "Epoch %d, step %d: training loss %.4f; validation: %s%n",
        evaluation.epoch(),
        evaluation.step(),
        evaluation.trainLoss(),
        ScoresReport.line(evaluation.scores()));
    out.flush();
  }

  double seconds() {
    return (clock.getAsLong() - start) / 1e9;
  }

  long tokens() {
    return tokens;
  }

  /** "3 min 5 s". */
  static String duration(double seconds) {
    long whole = Math.round(seconds);
    return whole < 60 ? whole + " s" : whole / 60 + " min " + whole % 60 + " s";
  }

  /** Ends the bar, so that further output begins on a new line. */
  void end() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }

  @Override
  public void close() {
    end();
  }
}

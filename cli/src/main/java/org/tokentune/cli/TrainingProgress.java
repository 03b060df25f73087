package org.tokentune.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.tokentune.train.Scores;
import org.tokentune.train.TrainingListener;

/** A progress bar where a terminal is there, lines where not. */
final class TrainingProgress implements TrainingListener, AutoCloseable {

  private static final int LINES = 20;

  private final PrintWriter out;
  private final boolean perplexity;

  // From JDK 22 on this means a terminal only with -Djdk.console=java.base, which ./tokentune
  // gives.
  @SuppressWarnings("SystemConsoleNull")
  private final boolean terminal = System.console() != null;

  private final long start = System.nanoTime();
  private final List<Epoch> epochs = new ArrayList<>();
  private ProgressBar bar;
  private long tokens;
  private double smoothLoss = Double.NaN;

  /** What an epoch came to. */
  record Epoch(int number, double trainLoss, Scores validation) {}

  /**
   * @param perplexity whether the loss is a language model's
   */
  TrainingProgress(PrintWriter out, boolean perplexity) {
    this.out = out;
    this.perplexity = perplexity;
  }

  @Override
  public void onStep(int step, int steps, double loss, long batchTokens) {
    tokens += batchTokens;
    smoothLoss = Double.isNaN(smoothLoss) ? loss : 0.9 * smoothLoss + 0.1 * loss;
    double seconds = seconds();
    String state =
        String.format(
            Locale.ROOT,
            "loss %.3f%s, %,.0f tokens/s",
            smoothLoss,
            perplexity
                ? String.format(Locale.ROOT, " (perplexity %.2f)", Math.exp(smoothLoss))
                : "",
            tokens / seconds);
    if (terminal) {
      if (bar == null) {
        bar =
            new ProgressBarBuilder()
                .setTaskName("Training")
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.ASCII)
                .build();
      }
      bar.setExtraMessage(state);
      bar.stepTo(step);
    } else if (step == 1 || step % Math.max(1, steps / LINES) == 0) {
      out.printf(
          "Step %d of %d: %s, %s left%n",
          step, steps, state, duration(seconds / step * (steps - step)));
      out.flush();
    }
  }

  @Override
  public void onEpoch(int epoch, double trainLoss, Scores validation) {
    epochs.add(new Epoch(epoch, trainLoss, validation));
    if (terminal) {
      out.println();
    }
    out.printf(
        Locale.ROOT,
        "Epoch %d: training loss %.4f; validation: %s%n",
        epoch,
        trainLoss,
        ScoresReport.line(validation));
    out.flush();
  }

  List<Epoch> epochs() {
    return epochs;
  }

  double seconds() {
    return (System.nanoTime() - start) / 1e9;
  }

  long tokens() {
    return tokens;
  }

  /** "3 min 5 s". */
  static String duration(double seconds) {
    long whole = Math.round(seconds);
    return whole < 60 ? whole + " s" : whole / 60 + " min " + whole % 60 + " s";
  }

  /** Ends the bar; what is printed next has a line of its own. */
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

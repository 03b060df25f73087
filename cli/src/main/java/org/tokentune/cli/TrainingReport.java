package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.tokentune.datasets.GlueTask;
import org.tokentune.objectives.Scores;
import org.tokentune.train.StepMemoryReport;
import org.tokentune.train.Trainer;

/**
 * How a training went, for people and for programs.
 *
 * @param scores null if there were neither test nor validation rows
 * @param tested whether the scores are those of the test rows, and not of the validation rows
 * @param labels names of the labels
 * @param tokens that were read in the training
 */
record TrainingReport(
    Trainer.Outcome outcome,
    Scores scores,
    boolean tested,
    List<String> labels,
    double seconds,
    long tokens) {

  /** Scores the kept weights on the test rows if the training was not stopped. */
  static TrainingReport of(Trainer.Outcome outcome, TrainingJob job, double seconds, long tokens) {
    Optional<Scores> onTest = outcome.stopped() ? Optional.empty() : job.test();
    Scores scores =
        onTest.orElseGet(() -> outcome.best() == null ? null : job.validated(outcome.best()));
    return new TrainingReport(outcome, scores, onTest.isPresent(), job.labels(), seconds, tokens);
  }

  /** The rows that were scored, in a heading. */
  String part() {
    return tested ? "Test" : "Validation";
  }

  void print(PrintWriter out, Optional<GlueTask> glue, OptimizerOptions optimizer) {
    if (scores == null) {
      out.println("Not scored: there are neither validation nor test rows.");
    } else {
      ScoresReport.print(out, part(), scores, labels);
      glue.ifPresent(task -> ScoresReport.printGlue(out, task, scores));
    }
    out.printf(
        Locale.ROOT,
        "%s %d steps in %s (%,.0f tokens/s); kept the weights of epoch %d, step %d.%n",
        outcome.stopped() ? "Stopped after" : "Trained",
        outcome.steps(),
        TrainingProgress.duration(seconds),
        tokens / seconds,
        outcome.epoch(),
        outcome.bestStep());
    if (outcome.early()) {
      out.println("It ended early, as no validation was better for so long.");
    }
    if (outcome.skipped() > 0) {
      out.printf(Locale.ROOT, "%d steps were not applied: nothing finite.%n", outcome.skipped());
    }
    StepMemoryReport memory = outcome.memory();
    if (memory != null) {
      out.printf(
          Locale.ROOT,
          "The largest step: %.1f MB predicted, %.1f MB used (its arena, as allocated), above %.1f"
              + " MB of parameters and %.1f MB of optimizer state (%s).%n",
          memory.step().arena() / 1e6,
          outcome.arenaBytes() / 1e6,
          memory.parameters() / 1e6,
          memory.optimizerState() / 1e6,
          optimizer);
    }
  }

  void putScores(ObjectNode result) {
    if (scores == null) {
      result.putNull("evaluated_on");
      return;
    }
    result.put("evaluated_on", tested ? "test" : "validation");
    ScoresReport.put(result, scores, labels);
  }

  void putRun(ObjectNode result) {
    result.put("steps", outcome.steps()).put("seconds", seconds);
    result.put("best_epoch", outcome.epoch()).put("best_step", outcome.bestStep());
    result.put("stopped", outcome.stopped()).put("ended_early", outcome.early());
    result.put("skipped_steps", outcome.skipped());
    StepMemoryReport memory = outcome.memory();
    if (memory != null) {
      ObjectNode bytes = result.putObject("memory");
      bytes.put("predicted", memory.step().arena()).put("used", outcome.arenaBytes());
      bytes.put("parameters", memory.parameters());
      bytes.put("optimizer_state", memory.optimizerState());
    }
    ArrayNode evaluations = result.putArray("evaluations");
    outcome
        .evaluations()
        .forEach(evaluation -> TrainingLog.put(evaluations.addObject(), evaluation, labels));
  }
}

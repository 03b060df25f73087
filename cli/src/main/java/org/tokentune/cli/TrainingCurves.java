package org.tokentune.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tokentune.objectives.Scores;
import org.tokentune.train.EvaluationResult;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.StepMemoryReport;
import org.tokentune.train.StepReport;

/** What can be drawn of a training, numbers by step, for whatever shows or stores them. */
final class TrainingCurves implements FineTuningListener, AutoCloseable {

  /** Shows or stores numbers by step. */
  interface Sink extends AutoCloseable {

    /** Called before the first step, with the memory of the largest one as planned. */
    default void plan(StepMemoryReport memory) {}

    /**
     * Called before the first numbers.
     *
     * @param step made before, in a resumed training; otherwise 0
     */
    default void begin(int step) {}

    /**
     * Takes the numbers of a step.
     *
     * @param step from 1
     * @param steps of the whole training
     * @param numbers by names such as {@code train/loss}
     */
    void add(int step, int steps, Map<String, Double> numbers);

    @Override
    void close();
  }

  private final List<Sink> sinks;
  private StepMemoryReport memory;
  private int resumed;
  private int steps;
  private boolean begun;

  TrainingCurves(List<Sink> sinks) {
    this.sinks = sinks;
  }

  @Override
  public void onPlan(StepMemoryReport planned) {
    memory = planned;
    sinks.forEach(sink -> sink.plan(planned));
  }

  @Override
  public void onResume(int step) {
    resumed = step;
  }

  @Override
  public void onEpochStart(int epoch) {
    if (!begun) {
      begun = true;
      sinks.forEach(sink -> sink.begin(resumed));
    }
  }

  @Override
  public void onStep(StepReport step) {
    steps = step.steps();
    Map<String, Double> numbers = new LinkedHashMap<>();
    numbers.put("train/loss", step.loss());
    numbers.put("train/learning_rate", step.learningRate());
    numbers.put("train/epoch", (double) step.epoch());
    if (step.seconds() > 0) {
      numbers.put("train/tokens_per_second", step.tokens() / step.seconds());
    }
    step.metrics()
        .forEach((metric, value) -> numbers.put("train/" + ScoresReport.field(metric), value));
    if (memory != null) { // with the first step: a resumed training has them again
      numbers.put("memory/parameters_mb", memory.parameters() / 1e6);
      numbers.put("memory/optimizer_state_mb", memory.optimizerState() / 1e6);
      numbers.put("memory/arena_mb", memory.step().arena() / 1e6);
      memory = null;
    }
    add(step.step(), numbers);
  }

  @Override
  public void onEvaluation(EvaluationResult evaluation) {
    Scores scores = evaluation.scores();
    Map<String, Double> numbers = new LinkedHashMap<>();
    if (!Double.isNaN(scores.loss())) {
      numbers.put("validation/loss", scores.loss());
    }
    if (scores.task().hasPerplexity()) {
      numbers.put("validation/perplexity", scores.perplexity());
    }
    scores
        .metrics()
        .forEach((metric, value) -> numbers.put("validation/" + ScoresReport.field(metric), value));
    add(evaluation.step(), numbers);
  }

  private void add(int step, Map<String, Double> numbers) {
    sinks.forEach(sink -> sink.add(step, steps, numbers));
  }

  @Override
  public void close() {
    RuntimeException failed = null;
    for (Sink sink : sinks) {
      try {
        sink.close();
      } catch (RuntimeException e) {
        failed = e; // the page must be closed even if the disk is full
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}

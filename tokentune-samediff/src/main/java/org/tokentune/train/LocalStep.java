package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadSettingsException;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Tally;
import org.tokentune.ops.Dropout;
import org.tokentune.plan.internal.OptimizerStep;
import org.tokentune.select.TokenSelector;

/** Training steps in this process, on execution plans. */
public final class LocalStep implements TrainingStep {

  private final TransformerModel model;
  private final TokenSelector selector;
  private final Hyperparameters settings;
  private final ParameterOptimizer optimizer;
  private final GradientAccumulator sums = new GradientAccumulator();
  private final StepEngines engines;

  /** Runs a batch in parts; null: it runs at once. */
  private final CachedVectors cached;

  private double rate;

  /**
   * Updates parameters during a run, if its loss is finite; those whose gradient is not finite are
   * left out where gradients are clipped, as only then that is known.
   */
  private final class InBackward implements OptimizerStep {

    @Override
    public boolean begins(Map<String, INDArray> outputs) {
      boolean finite = Double.isFinite(outputs.get(ModelGraph.LOSS).getDouble(0));
      if (finite) {
        optimizer.begin(rate);
      }
      return finite;
    }

    @Override
    public boolean wholeGradients() {
      return optimizer.wholeGradients();
    }

    @Override
    public void update(String name, INDArray parameter, long firstRow, INDArray gradient) {
      optimizer.update(name, parameter, firstRow, gradient);
    }
  }

  public LocalStep(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      TokenSelector selector,
      Hyperparameters settings) {
    required(model, "model");
    required(parameters, "parameters");
    required(trainable, "trainable");
    required(selector, "selector");
    required(settings, "settings");

    this.model = model;
    this.selector = selector;
    this.settings = settings;
    settings.loss().check(model.head().task(), model.head().outputs());
    int microBatch = settings.memory().microBatch();
    EmbeddingLoss ofVectors = model.head().task().embeddingLoss().orElse(null);
    if (microBatch > 0 && ofVectors == null) {
      throw BadSettingsException.of(
          "microBatch",
          "is for vectors of texts, not for %s; give accumulation.",
          model.head().task().shortName());
    }
    cached =
        microBatch > 0 ? new CachedVectors(ofVectors, model.head().outputs(), microBatch) : null;
    optimizer =
        settings
            .optimizer()
            .optimizer(model, parameters)
            .clipped(settings.clipBy(), settings.clip());
    engines =
        new StepEngines(
            model,
            parameters,
            trainable,
            settings.memory(),
            settings.loss(),
            settings.addsUp() ? sums : settings.optimizesInBackward() ? new InBackward() : null,
            cached != null);
  }

  @Override
  public ParameterOptimizer optimizer() {
    return optimizer;
  }

  @Override
  public void check(MultiDataSet batch, Position position) {
    Map<String, INDArray> inputs =
        StepBatches.largest(model, batch, selector, position).placeholders();
    engines.planned(cached == null ? inputs : cached.largest(inputs, model.head().outputs()));
  }

  @Override
  public Result run(List<MultiDataSet> together, Position position, double learningRate) {
    rate = learningRate;
    StepBatches batches = StepBatches.of(model, together, selector, position, settings);
    double weight = batches.weight();
    long tokens = batches.tokens();
    sums.clear();
    Map<String, INDArray> gradients = Map.of();
    Tally tally = task().scoresSteps() ? task().tally(model.head().outputs()) : null;
    long rows = 0;
    double loss = 0;
    for (int i = 0; i < together.size(); i++) {
      StepInputs batch = batches.batches().get(i);
      if (batch.weight() > 0) {
        double share = batches.share(i);
        sums.weigh(share);
        double ofBatch;
        if (cached == null) {
          TrainingEngine.Result result =
              engines.planned(batch.placeholders()).run(batch.placeholders());
          ofBatch = result.loss();
          if (tally != null) {
            rows +=
                tally.add(
                    batch.placeholders().get(ModelGraph.LABELS),
                    result.outputs().get(task().scored()));
          }
          gradients = settings.addsUp() ? sums.gradients() : result.gradients();
        } else {
          ofBatch = inParts(batch.placeholders(), share, position.seed(), batches.run(i));
          gradients = sums.gradients();
        }
        if (!Double.isFinite(ofBatch)) {
          return new Result(ofBatch, weight, tokens, List.of(together.get(i)), Map.of());
        }
        loss += share * ofBatch;
      }
    }
    if (settings.optimizesInBackward() && weight > 0 && !optimizer.end()) {
      return new Result(loss, weight, tokens, together, Map.of());
    }
    if (!settings.optimizesInBackward() && weight > 0) {
      if (!optimizer.step(gradients, rate, settings.clip())) {
        return new Result(loss, weight, tokens, together, Map.of());
      }
    }
    return new Result(
        loss, weight, tokens, List.of(), rows == 0 ? Map.of() : tally.scores(rows, loss).metrics());
  }

  private Objective task() {
    return model.head().task();
  }

  /** Runs a batch in parts, whose gradients are added to the sums, and returns its loss. */
  private double inParts(Map<String, INDArray> inputs, double share, long seed, int run) {
    sums.weigh(1);
    return cached.run(
        inputs,
        share,
        engines.of(inputs),
        part -> Dropout.seed(seed + part * StepBatches.PART_SEED, run),
        result -> Double.isFinite(result.loss()));
  }

  @Override
  public StepMemoryReport memory() {
    return engines
        .memory(optimizer)
        .map(report -> settings.addsUp() ? report.withGradientSums() : report)
        .orElse(null);
  }

  @Override
  public long arenaBytes() {
    return engines.arenaBytes();
  }

  @Override
  public void close() {
    if (cached != null) {
      cached.close();
    }
    engines.close();
  }
}

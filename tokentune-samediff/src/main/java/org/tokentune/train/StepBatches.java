package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.internal.Graph;
import org.tokentune.ops.Dropout;
import org.tokentune.select.TokenSelector;

/**
 * The batches of a step as inputs of a training graph: with their selected tokens, the seeds of
 * their dropout and their weights, which depend on nothing but the step's {@link
 * TrainingStep.Position}. So they are the same on whatever machine a batch runs.
 *
 * @param batches in order
 * @param firstRun number of the first batch in the whole training, which seeds its dropout
 */
public record StepBatches(List<StepInputs> batches, int firstRun) {

  /** Gives every part of a batch dropout of its own. */
  static final long PART_SEED = 0x9E3779B97F4A7C15L;

  public StepBatches {
    required(batches, "batches");

    batches = List.copyOf(batches);
  }

  /** Makes the inputs of a step's batches. */
  public static StepBatches of(
      TransformerModel model,
      List<MultiDataSet> together,
      TokenSelector selector,
      TrainingStep.Position position,
      Hyperparameters settings) {
    return of(model, together, selector, position, settings, 1);
  }

  /**
   * Makes the inputs of a step's batches, each of them cut into parts that tokens are selected for
   * as for the whole batch, and whose dropout is their own.
   *
   * @param parts of every batch, if it has as many rows
   */
  public static StepBatches of(
      TransformerModel model,
      List<MultiDataSet> together,
      TokenSelector selector,
      TrainingStep.Position position,
      Hyperparameters settings,
      int parts) {
    required(model, "model");
    required(together, "together");
    required(selector, "selector");
    required(position, "position");
    required(settings, "settings");

    int first = position.step() * settings.accumulation();
    List<StepInputs> batches = new ArrayList<>();
    for (int i = 0; i < together.size(); i++) {
      List<StepInputs> ofBatch =
          StepInputs.parts(
              model, together.get(i), selector, position.next(i), settings.loss(), parts);
      for (int part = 0; part < ofBatch.size(); part++) {
        batches.add(seeded(ofBatch.get(part), position.seed() + part * PART_SEED, first + i));
      }
    }
    return new StepBatches(batches, first);
  }

  /** The inputs of a batch that take as much memory as those of any of its shape. */
  static StepInputs largest(
      TransformerModel model,
      MultiDataSet batch,
      TokenSelector selector,
      TrainingStep.Position position) {
    return seeded(StepInputs.largest(model, batch, selector, position), position.seed(), 0);
  }

  /** Adds the seed of dropout; graphs without dropout pass over it. */
  private static StepInputs seeded(StepInputs inputs, long seed, int run) {
    inputs.placeholders().put(Graph.DROPOUT_SEED, Dropout.seed(seed, run));
    return inputs;
  }

  /** The sum of the weights. */
  public double weight() {
    return batches.stream().mapToDouble(StepInputs::weight).sum();
  }

  /** The tokens of the texts, without padding. */
  public long tokens() {
    return batches.stream().mapToLong(StepInputs::tokens).sum();
  }

  /** The factor of a batch's loss and gradients: its part of the weight. */
  public double share(int batch) {
    return batches.get(batch).weight() / weight();
  }

  /** The number of a batch in the whole training. */
  int run(int batch) {
    return firstRun + batch;
  }
}

package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tokentune.datasets.ClassWeights;
import org.tokentune.objectives.Objective;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.RunSettings;
import org.tokentune.train.Schedule;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options for tokens, batches, learning rates and updates. */
final class TuningOptions {

  private static final TuningSettings DEFAULTS = TuningSettings.defaults();

  @Mixin private TokenOptions tokens;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes over the training rows; default ${DEFAULT-VALUE}.")
  private int epochs = DEFAULTS.hyperparameters().epochs();

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Steps, over as many epochs as it takes; default: as many as the epochs have.")
  private int steps = DEFAULTS.hyperparameters().steps();

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      description = "Texts per batch; default ${DEFAULT-VALUE}.")
  private int batchSize = DEFAULTS.batchSize();

  @Option(
      names = "--accumulate",
      paramLabel = "N",
      description = {
        "Batches whose gradients are added up for a step, as if they were one batch;",
        "default ${DEFAULT-VALUE}."
      })
  private int accumulation = DEFAULTS.hyperparameters().accumulation();

  @Option(
      names = "--learning-rate",
      paramLabel = "RATE",
      description = {
        "Peak of the learning rate, which rises from 0 in the warm-up and then runs as --schedule",
        "says; default ${DEFAULT-VALUE}."
      })
  private double learningRate = DEFAULTS.hyperparameters().learningRate();

  @Option(
      names = "--warmup",
      paramLabel = "N|SHARE",
      description = "Steps of the warm-up; below 1 a share of all steps. Default ${DEFAULT-VALUE}.")
  private double warmup = DEFAULTS.hyperparameters().schedule().warmup();

  @Option(
      names = "--schedule",
      paramLabel = "NAME",
      defaultValue = "linear",
      description = {
        "The rate after the warm-up: linear or cosine falls to 0 at the end, cosine_with_restarts",
        "several times, polynomial by a power; constant stays; inverse_sqrt falls with the root of",
        "the steps, step by a factor every so many, and reduce_lr_on_plateau by a factor when",
        "validations no longer improve. Default ${DEFAULT-VALUE}."
      })
  private Schedule.Decay schedule;

  @Option(
      names = "--schedule-settings",
      paramLabel = "NAME=VALUE",
      split = ",",
      description = {
        "Settings of --schedule, as transformers and PyTorch name them: num_cycles of",
        "cosine_with_restarts; power, lr_end of polynomial; timescale of inverse_sqrt; step_size, gamma",
        "of step; factor, patience, threshold, cooldown, min_lr of reduce_lr_on_plateau."
      })
  private Map<String, Double> scheduleSettings = new LinkedHashMap<>();

  @Mixin private OptimizerOptions optimizer;

  @Option(
      names = "--weight-decay",
      paramLabel = "RATE",
      description =
          "Weight decay of matrices; biases and norms have none. Default ${DEFAULT-VALUE}.")
  private double weightDecay = DEFAULTS.hyperparameters().optimizer().weightDecay();

  @Option(
      names = "--layer-decay",
      paramLabel = "FACTOR",
      description = {
        "Factor of the rate from each layer to the one below: with 0.9 it is 0.9 times the rate in",
        "the top layer, 0.81 times below it, and least in the embeddings. Default 1: no decay."
      })
  private double layerDecay = DEFAULTS.hyperparameters().optimizer().layerDecay();

  @Option(
      names = "--lr-for",
      paramLabel = "WHAT=FACTOR",
      description = {
        "Multiplies the rate of some parameters, named as --trainable names them, such as head=10",
        "or 'bert.embeddings.*=0.1'; may be given several times, and all that match count."
      })
  private Map<String, Double> rateFactors = new LinkedHashMap<>();

  @Mixin private LossOptions loss;

  @Mixin private ClipOptions clip;

  @Option(
      names = "--memory",
      paramLabel = "60MB",
      converter = ByteSize.class,
      description = {
        "Most that a step may take above parameters and optimizer state: more is recomputed where",
        "it would not fit, attention first, then whole layers. Default: no limit."
      })
  private long memory;

  /** Whether there is a limit to the memory of a step. */
  boolean limitsMemory() {
    return memory > 0;
  }

  TuningSettings settings(AdapterOptions adapters, long seed) {
    return new TuningSettings(
        tokens.tokens(),
        tokens.minTokens(),
        adapters.trainable(),
        batchSize,
        new Hyperparameters(
            epochs,
            steps,
            accumulation,
            learningRate,
            optimizer.settings(weightDecay, layerDecay, rateFactors),
            new Schedule(schedule, warmup, scheduleSettings, null),
            clip.norm(),
            clip.by(),
            adapters.knobs().settings(memory),
            seed,
            loss.settings()),
        RunSettings.defaults());
  }

  OptimizerOptions optimizer() {
    return optimizer;
  }

  /** The task, if it has the loss that the options ask for. */
  Objective checked(Objective task) {
    loss.check(task);
    return task;
  }

  /** The weights of classes in the loss; null if all are 1. */
  ClassWeights classWeights() {
    return loss.classWeights();
  }

  void put(ObjectNode result) {
    optimizer.put(result);
    clip.put(result);
    loss.put(result);
    result.put("learning_rate", learningRate).put("schedule", schedule.toString());
    scheduleSettings.forEach(result.putObject("schedule_settings")::put);
    result.put("warmup", warmup).put("weight_decay", weightDecay);
    result.put("layer_decay", layerDecay);
    rateFactors.forEach(result.putObject("lr_for")::put);
  }
}

package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.Locale;
import java.util.function.Consumer;
import org.tokentune.BadSettingsException;
import org.tokentune.objectives.LossSettings;

/**
 * Settings of a training other than its model and data.
 *
 * @param epochs passes over the data
 * @param steps updates of the parameters, over as many epochs as necessary; 0: the steps of the
 *     epochs
 * @param accumulation batches per step, whose gradients are added up as if they were one batch
 * @param learningRate the peak of the schedule
 * @param optimizer the optimizer, and its settings by parameter
 * @param schedule of the learning rate
 * @param clip maximal norm of the gradients; infinite: gradients are not clipped, and each is
 *     applied as soon as it is complete
 * @param clipBy whose norm that is
 * @param memory what a step stores
 * @param seed of all randomness: order, selection, dropout
 * @param loss weights of classes, label smoothing, and the focal loss
 */
public record Hyperparameters(
    int epochs,
    int steps,
    int accumulation,
    double learningRate,
    OptimizerSettings optimizer,
    Schedule schedule,
    double clip,
    ClipBy clipBy,
    MemorySettings memory,
    long seed,
    LossSettings loss) {

  /** The norm that decides how much gradients are scaled down. */
  public enum ClipBy {
    /** The norm of all gradients, which are all held until it is known, as in PyTorch. */
    ALL,
    /** Each tensor's own norm, as DL4J's {@code ClipL2PerParamType}: nothing is held. */
    TENSOR,
    /**
     * The greater of the norm of all gradients in the last step and of those so far in this one:
     * nothing is held.
     */
    LAST;

    /** The name in lower case, as on the command line. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Hyperparameters {
    required(optimizer, "optimizer");
    required(schedule, "schedule");
    required(clipBy, "clipBy");
    required(memory, "memory");
    required(loss, "loss");

    if (epochs < 1) {
      throw BadSettingsException.of("epochs", "must be at least 1, got %d.", epochs);
    }
    if (steps < 0) {
      throw BadSettingsException.of(
          "steps", "must be at least 1, or 0 for all steps of the epochs, got %d.", steps);
    }
    if (accumulation < 1) {
      throw BadSettingsException.of("accumulation", "must be at least 1, got %d.", accumulation);
    }
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw BadSettingsException.of(
          "learningRate", "must be above 0 and finite, got %s.", learningRate);
    }
    if (!(clip > 0)) {
      throw BadSettingsException.of("clip", "must be above 0, got %s.", clip);
    }
    if (!schedule.fits(learningRate)) {
      throw BadSettingsException.of(
          "learningRate", "must be above the schedule's lr_end, got %s.", learningRate);
    }
    if (clipBy != ClipBy.ALL && (accumulation > 1 || memory.microBatch() > 0)) {
      throw BadSettingsException.of(
          "clipBy",
          "must be all with accumulation or a micro-batch, which holds all gradients anyway, got %s.",
          clipBy);
    }
  }

  /** Defaults for fine-tuning an encoder: AdamW, 3 epochs at 1e-4, clipped to 1. */
  public static Hyperparameters defaults() {
    return new Hyperparameters(
        3,
        0,
        1,
        1e-4,
        OptimizerSettings.adamW(0.01),
        Schedule.linear(0.1),
        1.0,
        ClipBy.ALL,
        MemorySettings.defaults(),
        42,
        LossSettings.plain());
  }

  /** Returns a copy with another number of epochs. */
  public Hyperparameters withEpochs(int passes) {
    return copy(to -> to.epochs = passes);
  }

  /** Returns a copy with this many updates of the parameters; 0: as many as the epochs have. */
  public Hyperparameters withSteps(int count) {
    return copy(to -> to.steps = count);
  }

  /** Returns a copy with gradients added up over this many batches. */
  public Hyperparameters withAccumulation(int batches) {
    return copy(to -> to.accumulation = batches);
  }

  /** Returns a copy with another learning rate. */
  public Hyperparameters withLearningRate(double peak) {
    return copy(to -> to.learningRate = peak);
  }

  /** Returns a copy with another optimizer. */
  public Hyperparameters withOptimizer(OptimizerSettings other) {
    return copy(to -> to.optimizer = other);
  }

  /** Returns a copy with another schedule of the learning rate. */
  public Hyperparameters withSchedule(Schedule other) {
    return copy(to -> to.schedule = other);
  }

  /** Returns a copy with gradients clipped to another norm; infinite: not clipped. */
  public Hyperparameters withClip(double norm) {
    return copy(to -> to.clip = norm);
  }

  /** Returns a copy with gradients clipped by another norm. */
  public Hyperparameters withClipBy(ClipBy other) {
    return copy(to -> to.clipBy = other);
  }

  /** Returns a copy with another use of memory. */
  public Hyperparameters withMemory(MemorySettings other) {
    return copy(to -> to.memory = other);
  }

  /** Returns a copy with another seed. */
  public Hyperparameters withSeed(long other) {
    return copy(to -> to.seed = other);
  }

  /** Returns a copy with another loss. */
  public Hyperparameters withLoss(LossSettings other) {
    return copy(to -> to.loss = other);
  }

  /** Whether the gradients of several runs are added up for a step. */
  boolean addsUp() {
    return accumulation > 1 || memory.microBatch() > 0;
  }

  /** Whether every gradient is applied and let go as soon as it is complete. */
  public boolean optimizesInBackward() {
    return !addsUp() && (clipBy != ClipBy.ALL || Double.isInfinite(clip));
  }

  /** Steps of a training whose epochs have so many batches. */
  int steps(int batches) {
    return steps > 0 ? steps : epochs * ((batches + accumulation - 1) / accumulation);
  }

  private Hyperparameters copy(Consumer<Values> change) {
    Values values = new Values();
    values.epochs = epochs;
    values.steps = steps;
    values.accumulation = accumulation;
    values.learningRate = learningRate;
    values.optimizer = optimizer;
    values.schedule = schedule;
    values.clip = clip;
    values.clipBy = clipBy;
    values.memory = memory;
    values.seed = seed;
    values.loss = loss;
    change.accept(values);
    return new Hyperparameters(
        values.epochs,
        values.steps,
        values.accumulation,
        values.learningRate,
        values.optimizer,
        values.schedule,
        values.clip,
        values.clipBy,
        values.memory,
        values.seed,
        values.loss);
  }

  /** The values of a copy, one of which is changed. */
  private static final class Values {
    private int epochs;
    private int steps;
    private int accumulation;
    private double learningRate;
    private OptimizerSettings optimizer;
    private Schedule schedule;
    private double clip;
    private ClipBy clipBy;
    private MemorySettings memory;
    private long seed;
    private LossSettings loss;
  }
}

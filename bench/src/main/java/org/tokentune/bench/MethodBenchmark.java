package org.tokentune.bench;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.LossSettings;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.select.RandomTokens;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.LocalStep;
import org.tokentune.train.MemorySettings;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.Schedule;
import org.tokentune.train.StepMemoryPlanner;
import org.tokentune.train.StepMemoryReport;
import org.tokentune.train.TrainingStep;

/**
 * Measures a fine-tuning method on a decoder with random ids: planned bytes, used bytes and the
 * time of a step.
 */
public final class MethodBenchmark implements AutoCloseable {

  /** Too small to change the measured results. */
  private static final double RATE = 1e-5;

  private final TrainingStep training;
  private final List<org.nd4j.linalg.dataset.api.MultiDataSet> batches;
  private final long used;
  private int step;

  /**
   * A method with its settings.
   *
   * @param lora settings of adapters, if the method has any
   * @param accumulation batches per optimizer step
   */
  public record Setting(
      TuningMethod method,
      LoraConfig lora,
      ActivationPrecision precision,
      OptimizerSettings optimizer,
      double clip,
      int accumulation) {

    /**
     * AdamW, gradients clipped to a norm of 1, activations stored as floats, one batch per step.
     */
    public static Setting of(TuningMethod method, LoraConfig lora) {
      return new Setting(
          method, lora, ActivationPrecision.FLOAT32, OptimizerSettings.adamW(0.01), 1, 1);
    }

    /** A copy with another activation precision. */
    public Setting withPrecision(ActivationPrecision other) {
      return new Setting(method, lora, other, optimizer, clip, accumulation);
    }

    /** A copy with another optimizer. */
    public Setting withOptimizer(OptimizerSettings other) {
      return new Setting(method, lora, precision, other, clip, accumulation);
    }

    /** Returns a copy without gradient clipping. */
    public Setting unclipped() {
      return new Setting(
          method, lora, precision, optimizer, Double.POSITIVE_INFINITY, accumulation);
    }

    /** A copy with this many batches per step. */
    public Setting withAccumulation(int batches) {
      return new Setting(method, lora, precision, optimizer, clip, batches);
    }
  }

  /**
   * Runs one step.
   *
   * @param floats the model's weights; full fine-tuning changes them, other methods copy them
   * @param tokens selected tokens if the method selects, e.g. {@code 30%}
   */
  public MethodBenchmark(
      TransformerModel model,
      Parameters floats,
      Setting setting,
      int batch,
      int length,
      String tokens) {
    TuningMethod method = setting.method();
    batches = batches(model, setting.accumulation(), batch, length);
    long before = StepBenchmark.settledBytes();
    Parameters own =
        method.weights() == WeightStorage.FLOAT32
            ? floats
            : ParameterLoader.stored(model, floats, method.weights());
    Adapter adapter = method.adapters() ? Adapter.fresh(model, own, setting.lora(), 1) : null;
    TransformerModel trained = adapter == null ? model : adapter.model();
    Parameters parameters = adapter == null ? own : adapter.parameters();
    Predicate<String> trains = adapter == null ? name -> true : adapter.model()::trains;
    training =
        new LocalStep(
            trained,
            parameters,
            trains,
            RandomTokens.parse(method.selected() ? tokens : "all", 1, false),
            new Hyperparameters(
                1,
                1,
                setting.accumulation(),
                RATE,
                setting.optimizer(),
                new Schedule(Schedule.Decay.CONSTANT, 0),
                setting.clip(),
                Hyperparameters.ClipBy.ALL,
                new MemorySettings(method.checkpointing(), setting.precision(), 0),
                1,
                LossSettings.plain()));
    training.check(
        batches.get(0),
        new TrainingStep.Position(0, 0, 0, 1)); // plans the whole batch, as before a training
    step();
    used = StepBenchmark.settledBytes() - before + (own == floats ? floats.bytes() : 0);
  }

  /** Plans the same step without weights; nothing runs. */
  public static StepMemoryReport plan(
      TransformerModel model, Setting setting, int batch, int length, String tokens) {
    boolean sums = setting.accumulation() > 1;
    int k = StepMemoryPlanner.selected(model, RandomTokens.parse(tokens, 1, false), length);
    boolean optimizerInBackward = sums || Double.isInfinite(setting.clip());
    StepMemoryReport report =
        new MethodPlanner(
                model,
                setting.lora(),
                setting.optimizer(),
                optimizerInBackward,
                setting.precision(),
                false)
            .report(setting.method(), batch, length, k);
    return sums ? report.withGradientSums() : report;
  }

  private static List<org.nd4j.linalg.dataset.api.MultiDataSet> batches(
      TransformerModel model, int count, int batch, int length) {
    SplittableRandom random = new SplittableRandom(1);
    org.nd4j.linalg.dataset.api.MultiDataSet[] batches = new MultiDataSet[count];
    for (int i = 0; i < count; i++) {
      int[][] ids = new int[batch][length];
      for (int[] row : ids) {
        Arrays.setAll(row, at -> random.nextInt(model.config().vocabulary()));
      }
      INDArray tokens = Nd4j.createFromArray(ids);
      batches[i] =
          new MultiDataSet(
              new INDArray[] {
                tokens,
                Nd4j.ones(DataType.INT32, batch, length),
                Nd4j.zeros(DataType.INT32, batch, length)
              },
              new INDArray[] {tokens});
    }
    return List.of(batches);
  }

  /** Runs a step: forward, backward and optimizer; returns nanoseconds. */
  public long step() {
    long start = System.nanoTime();
    training.run(batches, new TrainingStep.Position(0, 0, step++, 1), RATE);
    return System.nanoTime() - start;
  }

  /** Planned memory. */
  public StepMemoryReport planned() {
    return training.memory();
  }

  /** Used bytes, as counted by the allocator. */
  public long used() {
    return used;
  }

  @Override
  public void close() {
    training.close();
  }
}

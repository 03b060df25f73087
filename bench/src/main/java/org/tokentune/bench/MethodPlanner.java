package org.tokentune.bench;

import java.util.function.Predicate;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.LoraModel;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.plan.PlanMemory;
import org.tokentune.train.MemorySettings;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.StepMemoryPlanner;
import org.tokentune.train.StepMemoryReport;

/**
 * Plans the memory of fine-tuning methods, without the model's weights.
 *
 * @param lora settings of the methods with adapters
 * @param optimizer optimizer of all methods
 * @param optimizerInBackward whether parameters are updated as soon as their gradients are complete
 * @param precision type in which activations are stored
 * @param half whether full fine-tuning is counted as usual on GPUs, with 16-bit weights and all
 *     gradients held in 16 bits; otherwise as it runs here, in floats
 */
public record MethodPlanner(
    TransformerModel model,
    LoraConfig lora,
    OptimizerSettings optimizer,
    boolean optimizerInBackward,
    ActivationPrecision precision,
    boolean half) {

  private static final int HALF = 2;

  /** Storage of LoRA's base. */
  public WeightStorage frozen() {
    return half ? WeightStorage.BF16 : WeightStorage.FLOAT32;
  }

  /**
   * Plans a step.
   *
   * @param batch number of rows
   * @param length tokens per row
   * @param selected selected tokens per row, if the method selects
   */
  public MethodMemory plan(TuningMethod method, int batch, int length, int selected) {
    boolean counted = counted(method);
    StepMemoryReport report = report(method, batch, length, selected);
    long gradients = report.step().bytes(PlanMemory.Kind.GRADIENT);
    long step = report.step().arena() - gradients;
    if (counted) {
      long numbers = report.parameters() / Float.BYTES;
      return new MethodMemory(
          method, HALF * numbers, HALF * numbers, report.optimizerState(), step);
    }
    return new MethodMemory(method, report.parameters(), gradients, report.optimizerState(), step);
  }

  /**
   * Plans an executor of Spark, and what travels in a step.
   *
   * @param batch number of rows in a step, of all executors
   * @param executors each with one task
   */
  public ExchangePlan exchange(
      TuningMethod method, int batch, int length, int selected, int executors) {
    MethodPlanner atOnce = new MethodPlanner(model, lora, optimizer, true, precision, false);
    StepMemoryReport report =
        atOnce.report(method, (batch - 1) / executors + 1, length, selected).withGradientSums();
    return new ExchangePlan(
        method,
        report.parameters() - report.trained(),
        report.trained(),
        report.optimizerState(),
        report.total() - report.optimizerState(),
        executors);
  }

  private boolean counted(TuningMethod method) {
    return half && !method.adapters();
  }

  /** The same step as it runs here. */
  StepMemoryReport report(TuningMethod method, int batch, int length, int selected) {
    LoraModel adapted = method.adapters() ? new LoraModel(model, lora) : null;
    TransformerModel trained = adapted == null ? model : adapted;
    Predicate<String> trains = adapted == null ? name -> true : adapted::trains;
    return new StepMemoryPlanner(
            trained,
            trains,
            method.weights(),
            new MemorySettings(method.checkpointing(), precision, 0),
            optimizer.optimizer(trained, Parameters.shapeOnly(trained.parameters())),
            optimizerInBackward || counted(method))
        .plan(batch, length, method.selected() ? selected : length);
  }
}

package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;
import org.tokentune.select.TokenSelector;

/**
 * Plans training steps of a model without allocating its weights or the values of a step.
 *
 * @param trainable which parameters train, by name
 * @param weights how the frozen ones are stored
 * @param memory what a step stores
 * @param optimizerInBackward whether every parameter is updated as soon as its gradient is
 *     complete; otherwise all gradients are held to the end, which clipping by their global norm
 *     requires
 */
public record StepMemoryPlanner(
    TransformerModel model,
    Predicate<String> trainable,
    WeightStorage weights,
    MemorySettings memory,
    ParameterOptimizer optimizer,
    boolean optimizerInBackward) {

  public StepMemoryPlanner {
    required(model, "model");
    required(trainable, "trainable");
    required(weights, "weights");
    required(memory, "memory");
    required(optimizer, "optimizer");
  }

  /**
   * The number of tokens per row that a selector selects if all rows have {@code length} tokens.
   *
   * @throws BadInputException if rows of that length do not fit the model
   */
  public static int selected(TransformerModel model, TokenSelector selector, int length) {
    required(model, "model");
    required(selector, "selector");

    checkLength(model, length);
    return selector.select(new int[] {length}, length, null, 0, 0, 0).k();
  }

  private static void checkLength(TransformerModel model, int length) {
    if (length < 1 || length > model.config().maxPositions()) {
      throw BadSettingsException.of(
          "length",
          "must be 1 to %d for this model, got %d.",
          model.config().maxPositions(),
          length);
    }
  }

  /**
   * Plans a step on {@code batch} rows of {@code length} tokens, {@code k} of which carry gradient.
   */
  public StepMemoryReport plan(int batch, int length, int k) {
    if (batch < 1) {
      throw BadSettingsException.of("batch", "must be at least 1, got %d.", batch);
    }
    checkLength(model, length);
    if (k < 1 || k > length) {
      throw BadSettingsException.of("k", "must be 1 to %d, the length, got %d.", length, k);
    }
    boolean split = k < length;
    Parameters parameters = ParameterLoader.shapeOnly(model, trainable, weights);
    ModelGraph graph =
        model.build(
            parameters,
            GraphOptions.training(split, trainable).withKernelMode(KernelMode.preferred()));
    Map<String, INDArray> inputs = StepInputs.shapeOnly(model.head(), batch, length, k);
    try (TrainingEngine engine =
        new TrainingEngine(graph, List.of(), memory, optimizerInBackward ? optimizer : null)) {
      engine.plan(inputs);
      return engine.memory(parameters, optimizer).orElseThrow();
    }
  }
}

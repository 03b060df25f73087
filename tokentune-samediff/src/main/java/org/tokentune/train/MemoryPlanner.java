package org.tokentune.train;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.models.Bert;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.Style;
import org.tokentune.plan.Recompute;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;

/**
 * Plans training steps of a model without its weights: neither they nor a step's values take any
 * memory.
 *
 * @param trainable which parameters, by name
 * @param recompute what is computed again in the backward pass instead of being kept
 * @param atOnce whether every parameter is updated as soon as its gradient is complete; otherwise
 *     all gradients are held to the end, as clipping by their global norm needs it
 */
public record MemoryPlanner(
    Bert bert,
    Predicate<String> trainable,
    Recompute recompute,
    Optimizer optimizer,
    boolean atOnce) {

  /**
   * Plans a step on {@code batch} rows of exactly {@code length} tokens each.
   *
   * @throws BadInputException if the batch is empty or the rows do not fit the model
   */
  public MemoryReport plan(TokenSelector selector, int batch, int length) {
    if (batch < 1) {
      throw new BadInputException("A batch size of %d is none; give 1 or more.", batch);
    }
    if (length < 1 || length > bert.config().maxPositions()) {
      throw new BadInputException(
          "A length of %d does not fit the model; give 1 to %d.",
          length, bert.config().maxPositions());
    }
    int[] lengths = new int[batch];
    Arrays.fill(lengths, length);
    TokenSelection selection = selector.select(lengths, length, null, 0, 0, 0);
    Parameters parameters = Parameters.withoutValues(bert.parameters());
    ModelGraph graph =
        bert.build(
            parameters,
            GraphOptions.training(!selection.all(), trainable).withStyle(Style.preferred()));
    Map<String, INDArray> inputs =
        Placeholders.withoutValues(bert.head(), batch, length, selection.k());
    try (TrainingEngine engine =
        atOnce
            ? new TrainingEngine(graph, recompute, optimizer)
            : new TrainingEngine(graph, List.of(), recompute)) {
      engine.plan(inputs);
      return engine.memory(parameters, optimizer).orElseThrow();
    }
  }
}

package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.LossSettings;
import org.tokentune.plan.internal.OptimizerStep;
import org.tokentune.select.TokenSelector;

/**
 * Weighted sums of the gradients of some of a step's batches: a machine's share in a step that
 * several make. It changes no parameters. For one thread at a time; several of them may share
 * parameters.
 */
public final class BatchGradients implements AutoCloseable {

  private final TransformerModel model;
  private final Parameters parameters;
  private final GradientAccumulator sums = new GradientAccumulator();

  /**
   * The parameters with a gradient since the last {@link #clear}, in the order in which it came.
   */
  private final Set<String> updated = new LinkedHashSet<>();

  private final OptimizerStep noting = new Noting();
  private final StepEngines engines;

  /** Notes the names of the gradients that are added. */
  private final class Noting implements OptimizerStep {

    @Override
    public void update(String name, INDArray variable, long firstRow, INDArray gradient) {
      updated.add(name);
      sums.update(name, variable, firstRow, gradient);
    }
  }

  /**
   * @param parameters whose arrays are read as they are at the time of a run
   * @param trainable the names of those that have gradients
   */
  public BatchGradients(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      MemorySettings memory,
      LossSettings loss) {
    required(model, "model");
    required(parameters, "parameters");
    required(trainable, "trainable");
    required(memory, "memory");
    required(loss, "loss");

    this.model = model;
    this.parameters = parameters;
    engines = new StepEngines(model, parameters, trainable, memory, loss, noting, false);
  }

  /**
   * Plans a batch of this shape.
   *
   * @throws BadInputException if the memory budget is too small for it
   */
  public void check(MultiDataSet batch, TokenSelector selector, TrainingStep.Position position) {
    required(batch, "batch");
    required(selector, "selector");
    required(position, "position");

    engines.planned(StepBatches.largest(model, batch, selector, position).placeholders());
  }

  /** Begins with sums of 0. */
  public void clear() {
    sums.clear();
    updated.clear();
  }

  /**
   * Runs a batch and adds its gradients to the sums.
   *
   * @param inputs as {@link StepBatches} makes them
   * @param share the factor of the gradients
   * @return the batch's loss, without the factor
   */
  public double add(Map<String, INDArray> inputs, double share) {
    required(inputs, "inputs");

    sums.weigh(share);
    return engines.planned(inputs).run(inputs).loss();
  }

  /**
   * Adds sums that another machine has made.
   *
   * @param sum of the weighted gradients of this parameter; may be overwritten
   */
  public void add(String parameter, INDArray sum) {
    required(parameter, "parameter");
    required(sum, "sum");

    sums.weigh(1);
    noting.update(parameter, parameters.get(parameter), 0, sum);
  }

  /** The sums by parameter, in the order in which gradients came; valid until the next call. */
  public Map<String, INDArray> gradients() {
    Map<String, INDArray> gradients = new LinkedHashMap<>();
    updated.forEach(name -> gradients.put(name, sums.gradients().get(name)));
    return gradients;
  }

  /** Memory of the largest step that was planned; null before the first. */
  public StepMemoryReport memory(ParameterOptimizer optimizer) {
    required(optimizer, "optimizer");

    return engines.memory(optimizer).map(StepMemoryReport::withGradientSums).orElse(null);
  }

  @Override
  public void close() {
    engines.close();
  }
}

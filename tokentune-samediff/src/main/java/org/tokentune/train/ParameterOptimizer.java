package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.nn.Parameters;
import org.tokentune.plan.internal.OptimizerStep;
import org.tokentune.train.Hyperparameters.ClipBy;

/**
 * Updates parameters in place from their gradients: all by one {@link UpdateRule}, each with its
 * own state, weight decay and learning rate.
 */
public final class ParameterOptimizer implements OptimizerStep {

  /** The key of the last step's norm in the state, next to those of parameters. */
  private static final String LAST_NORM = "gradient_norm";

  private final UpdateRule rule;
  private final Parameters parameters;
  private final ToDoubleFunction<String> weightDecay;
  private final ToDoubleFunction<String> rateFactor;
  private final Map<String, List<INDArray>> state = new HashMap<>();
  private int steps;
  private double rate;
  private ClipBy clipBy = ClipBy.ALL;
  private double clip = Double.POSITIVE_INFINITY;
  private GradientClipping clipping;
  private double lastNorm;

  /**
   * @param parameters that may be updated; only their types and shapes are read
   * @param weightDecay by name of the parameter
   * @param rateFactor factor of the learning rate, by name of the parameter
   */
  ParameterOptimizer(
      UpdateRule rule,
      Parameters parameters,
      ToDoubleFunction<String> weightDecay,
      ToDoubleFunction<String> rateFactor) {
    this.rule = rule;
    this.parameters = parameters;
    this.weightDecay = weightDecay;
    this.rateFactor = rateFactor;
  }

  /** Decays only matrices (biases and norms are vectors), with one learning rate for all. */
  ParameterOptimizer(UpdateRule rule, Parameters parameters, double weightDecay) {
    this(rule, parameters, ofMatrices(parameters, weightDecay), name -> 1);
  }

  static ToDoubleFunction<String> ofMatrices(Parameters parameters, double weightDecay) {
    return name -> parameters.get(name).rank() > 1 ? weightDecay : 0;
  }

  /**
   * Clips each gradient as it comes, from now on.
   *
   * @param by whose norm decides; {@link ClipBy#ALL} needs all gradients, and is left to the caller
   * @param norm the largest; infinite: gradients are not clipped
   */
  public ParameterOptimizer clipped(ClipBy by, double norm) {
    clipBy = Double.isInfinite(norm) ? ClipBy.ALL : by;
    clip = by == ClipBy.ALL ? Double.POSITIVE_INFINITY : norm;
    return this;
  }

  /**
   * Begins a step, in which every parameter with a gradient is updated once.
   *
   * @param learningRate of the step
   */
  public void begin(double learningRate) {
    steps++;
    rate = learningRate;
    clipping = new GradientClipping(clip, clipBy == ClipBy.TENSOR, lastNorm);
  }

  /**
   * Ends a step.
   *
   * @return false if a gradient was not finite, whose parameter was not updated; always true if
   *     gradients are not clipped here
   */
  boolean end() {
    if (clipBy == ClipBy.LAST && clipping.finite()) {
      lastNorm = clipping.norm();
    }
    return clipping.finite();
  }

  @Override
  public boolean wholeGradients() {
    return rule.wholeGradients() || clipBy == ClipBy.TENSOR; // whose norm no slice knows
  }

  @Override
  public void update(String name, INDArray parameter, long firstRow, INDArray gradient) {
    if (!clipping.clip(gradient)) {
      return;
    }
    List<INDArray> own =
        state.computeIfAbsent(
            name, key -> rule.state(parameter).stream().map(UpdateRule.StateArray::zeros).toList());
    rule.apply(
        new UpdateRule.Change(
            OptimizerStep.rows(parameter, firstRow, gradient),
            gradient,
            firstRow,
            own,
            rate * rateFactor.applyAsDouble(name),
            weightDecay.applyAsDouble(name),
            steps));
  }

  /**
   * Makes a whole step.
   *
   * @param gradients by name of the parameter; may be overwritten
   */
  public void step(Map<String, INDArray> gradients, double learningRate) {
    begin(learningRate);
    gradients.forEach((name, gradient) -> update(name, parameters.get(name), 0, gradient));
  }

  /**
   * Makes a whole step with gradients whose common norm is clipped.
   *
   * @param gradients by name of the parameter; may be overwritten
   * @param clip the largest norm; infinite: they are not clipped, and not checked
   * @return false if the norm is not finite; nothing is updated then
   */
  public boolean step(Map<String, INDArray> gradients, double learningRate, double clip) {
    if (Double.isFinite(clip) && !Double.isFinite(GradientClipping.byGlobalNorm(gradients, clip))) {
      return false;
    }
    step(gradients, learningRate);
    return true;
  }

  /** The number of bytes of state for a parameter. */
  public long stateBytes(String name) {
    required(name, "name");

    return rule.state(parameters.get(name)).stream().mapToLong(UpdateRule.StateArray::bytes).sum();
  }

  /**
   * The state between steps.
   *
   * @param steps made so far
   * @param arrays by the name of the parameter and PyTorch's name of the state, e.g. {@code
   *     classifier.weight.exp_avg}; for the parameters updated so far, in order; not copies
   */
  public record State(int steps, Map<String, INDArray> arrays) {}

  /** The state between steps, from which {@link #restore} continues as if uninterrupted. */
  public State state() {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    parameters
        .asMap()
        .forEach(
            (name, parameter) -> {
              List<UpdateRule.StateArray> kept = rule.state(parameter);
              for (int i = 0; i < kept.size() && state.containsKey(name); i++) {
                arrays.put(key(kept.get(i), name), state.get(name).get(i));
              }
            });
    if (lastNorm > 0) {
      arrays.put(LAST_NORM, Nd4j.scalar(DataType.DOUBLE, lastNorm));
    }
    return new State(steps, arrays);
  }

  private static String key(UpdateRule.StateArray array, String parameter) {
    return parameter + "." + array.name();
  }

  /**
   * Copies the state of another optimizer of this kind.
   *
   * @throws BadInputException if it belongs to another optimizer or model
   */
  public void restore(State other) {
    required(other, "other");

    Map<String, INDArray> saved = other.arrays();
    Map<String, List<INDArray>> restored = new HashMap<>();
    Set<String> unknown = new HashSet<>(saved.keySet());
    unknown.remove(LAST_NORM);
    parameters
        .asMap()
        .forEach(
            (name, parameter) -> {
              List<UpdateRule.StateArray> kept = rule.state(parameter);
              List<String> keys = kept.stream().map(array -> key(array, name)).toList();
              if (unknown.removeAll(keys)) {
                restored.put(name, kept.stream().map(array -> copy(array, name, saved)).toList());
              }
            });
    if (!unknown.isEmpty()) {
      throw new BadFileException(
          "The saved optimizer state has %s, which this optimizer does not have for this model; resume with the same optimizer and model.",
          unknown.stream().sorted().findFirst().orElseThrow());
    }
    state.clear();
    state.putAll(restored);
    steps = other.steps();
    lastNorm = saved.containsKey(LAST_NORM) ? saved.get(LAST_NORM).getDouble(0) : 0;
  }

  private static INDArray copy(
      UpdateRule.StateArray array, String parameter, Map<String, INDArray> saved) {
    String key = key(array, parameter);
    INDArray given = saved.get(key);
    if (given == null
        || given.dataType() != array.type()
        || !Arrays.equals(given.shape(), array.shape())) {
      throw new BadFileException(
          "The saved optimizer state has %s for %s, not %s %s; resume with the same optimizer"
              + " and model.",
          given == null ? "nothing" : given.dataType() + " " + Arrays.toString(given.shape()),
          key,
          array.type(),
          Arrays.toString(array.shape()));
    }
    return array.zeros().assign(given);
  }
}

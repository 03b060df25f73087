package org.tokentune.train;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.AdamWUpdate;
import org.tokentune.plan.Updater;

/**
 * AdamW with decoupled weight decay (Loshchilov and Hutter, 2019), as {@code torch.optim.AdamW}
 * computes it: the epsilon is added after the bias correction.
 */
public final class AdamW implements Optimizer {

  /** How the moments are called behind the parameter's name: PyTorch's names. */
  private static final String MEAN = ".exp_avg";

  private static final String SQUARE = ".exp_avg_sq";

  private final double beta1;
  private final double beta2;
  private final double epsilon;
  private final double weightDecay;
  private final Predicate<String> decays;
  private final Map<String, Moments> moments = new HashMap<>();
  private int steps;
  private double rate;

  /** Running means of a parameter's gradient and of its square. */
  private record Moments(INDArray mean, INDArray square) {}

  /**
   * @param decays which parameters, by name, decay
   */
  public AdamW(
      double beta1, double beta2, double epsilon, double weightDecay, Predicate<String> decays) {
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
    this.weightDecay = weightDecay;
    this.decays = decays;
  }

  /**
   * The usual settings for transformers: betas 0.9 and 0.999, epsilon 1e-8, decay of matrices only
   * (biases and norms are vectors).
   */
  public static AdamW forTransformers(Parameters parameters, double weightDecay) {
    return new AdamW(0.9, 0.999, 1e-8, weightDecay, name -> parameters.get(name).rank() > 1);
  }

  @Override
  public void begin(double learningRate) {
    steps++;
    rate = learningRate;
  }

  @Override
  public int stateSize() {
    return 2;
  }

  @Override
  public State state() {
    Map<String, INDArray> arrays = new TreeMap<>();
    moments.forEach(
        (name, moment) -> {
          arrays.put(name + MEAN, moment.mean());
          arrays.put(name + SQUARE, moment.square());
        });
    return new State(steps, arrays);
  }

  @Override
  public void restore(State state) {
    steps = state.steps();
    moments.clear();
    state
        .arrays()
        .forEach(
            (name, mean) -> {
              if (name.endsWith(MEAN)) {
                String parameter = name.substring(0, name.length() - MEAN.length());
                moments.put(parameter, new Moments(mean, state.arrays().get(parameter + SQUARE)));
              }
            });
  }

  @Override
  public void update(String name, INDArray parameter, long firstRow, INDArray gradient) {
    Moments state =
        moments.computeIfAbsent(
            name,
            key ->
                new Moments(
                    Nd4j.zeros(parameter.dataType(), parameter.shape()),
                    Nd4j.zeros(parameter.dataType(), parameter.shape())));
    AdamWUpdate.run(
        Updater.rows(parameter, firstRow, gradient),
        gradient,
        Updater.rows(state.mean(), firstRow, gradient),
        Updater.rows(state.square(), firstRow, gradient),
        rate,
        beta1,
        beta2,
        epsilon,
        decays.test(name) ? weightDecay : 0,
        steps);
  }
}
